#include "checks/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <new>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

// hiredis builds its replies through these. They are called from C, so nothing may be thrown: no
// value is how they say that they could not.

/// Where the reader wants the value of `task`: a slot of the list above it, or a new root.
RedisReply* slot_for(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) RedisReply;
  auto& list = *static_cast<RedisReply*>(task->parent->obj);
  return &list.items[static_cast<std::size_t>(task->idx)];
}

/// One value fewer is left; false when there is none.
bool counted(const redisReadTask* task, std::size_t values) {
  auto& left = *static_cast<std::size_t*>(task->privdata);
  if (values > left) return false;
  left -= values;
  return true;
}

/// Fills the task's slot; a fault leaves nothing behind.
template <class Fill>
void* filled(const redisReadTask* task, Fill fill) noexcept {
  auto* const reply = slot_for(task);
  if (reply == nullptr) return nullptr;
  try {
    fill(*reply);
    return reply;
  } catch (const std::exception&) {
    if (task->parent == nullptr) delete reply;
    return nullptr;
  }
}

void* create_text(const redisReadTask* task, char* text, std::size_t size) noexcept {
  return filled(task, [&](RedisReply& reply) {
    reply.kind = task->type == REDIS_REPLY_ERROR    ? RedisReply::Kind::error
                 : task->type == REDIS_REPLY_STATUS ? RedisReply::Kind::status
                                                    : RedisReply::Kind::text;
    reply.text.assign(text, size);
  });
}

void* create_list(const redisReadTask* task, int elements) noexcept {
  if (elements < 0 || !counted(task, static_cast<std::size_t>(elements))) return nullptr;
  return filled(task, [&](RedisReply& reply) {
    reply.kind = RedisReply::Kind::list;
    reply.items.resize(static_cast<std::size_t>(elements));
  });
}

void* create_number(const redisReadTask* task, long long number) noexcept {
  return filled(task, [&](RedisReply& reply) {
    reply.kind = RedisReply::Kind::number;
    reply.number = number;
  });
}

void* create_nil(const redisReadTask* task) noexcept { return slot_for(task); }

void free_root(void* root) noexcept { delete static_cast<RedisReply*>(root); }

redisReplyObjectFunctions& builders() {
  static redisReplyObjectFunctions functions{create_text, create_list, create_number, create_nil,
                                             free_root};
  return functions;
}

}  // namespace

const RedisReply* RedisReply::member(std::string_view name) const {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto& key = items[i];
    if ((key.is(Kind::text) || key.is(Kind::status)) && key.text == name) return &items[i + 1];
  }
  return nullptr;
}

std::optional<std::int64_t> RedisReply::as_number() const {
  if (is(Kind::number)) return number;
  if (!is(Kind::text) && !is(Kind::status)) return std::nullopt;
  std::int64_t value{};
  const auto* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::string format_redis_command(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  arguments.reserve(words.size());
  sizes.reserve(words.size());
  for (const auto& word : words) {
    arguments.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()),
                                           arguments.data(), sizes.data());
  if (size < 0) throw std::bad_alloc{};
  const std::unique_ptr<char, void (*)(char*)> owner{formatted, redisFreeCommand};
  std::string command{formatted, static_cast<std::size_t>(size)};
  // It may hold a password: the library's copy is not left in memory.
  std::fill_n(formatted, size, '\0');
  return command;
}

void RedisReader::Freed::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

RedisReader::RedisReader() : reader_{redisReaderCreateWithFunctions(&builders())} {
  if (reader_ == nullptr) throw std::bad_alloc{};
  reader_->privdata = &elements_left_;
}

RedisReader::~RedisReader() = default;

void RedisReader::begin_round() noexcept {
  fed_ = 0;
  elements_left_ = elements_max;
}

Result<void> RedisReader::feed(std::string_view piece) {
  if (piece.size() > reply_bytes_max - fed_)
    return Error{Errc::too_large,
                 "answered more than " + std::to_string(reply_bytes_max >> 20) + " MiB"};
  fed_ += piece.size();
  if (redisReaderFeed(reader_.get(), piece.data(), piece.size()) != REDIS_OK)
    return Error{Errc::internal, "no memory for its answer"};
  return {};
}

Result<std::optional<RedisReply>> RedisReader::next() {
  void* root = nullptr;
  if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK) {
    if (reader_->err == REDIS_ERR_OOM)
      return Error{Errc::too_large,
                   "answered a list of more than " + std::to_string(elements_max) + " values"};
    return Error{Errc::protocol, "does not speak Redis's protocol: " +
                                     clean_utf8(trim(std::string_view{reader_->errstr}))};
  }
  if (root == nullptr) return std::optional<RedisReply>{};
  const std::unique_ptr<RedisReply> reply{static_cast<RedisReply*>(root)};
  return std::optional<RedisReply>{std::move(*reply)};
}

}  // namespace tocsin::checks
