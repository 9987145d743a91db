#include "checks/queue_redis.hpp"

#include <utility>

#include "checks/redis_stream.hpp"
#include "checks/reply_by.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

using Kind = RedisReply::Kind;
using Command = std::vector<std::string>;

constexpr std::size_t name_characters_max = 100;
/// A lag that the server does not know is counted by reading on; so many entries at most.
constexpr int pages_max = 10;
constexpr std::size_t page_entries = 100;

std::string quoted(const std::string& name) {
  return "\"" + cut_characters(clean_utf8(name), name_characters_max) + "\"";
}

double seconds_now(const CheckContext& context) {
  return std::chrono::duration<double>(context.clock.wall().time_since_epoch()).count();
}

double count_in(const RedisReply& reply) {
  return static_cast<double>(reply.as_number().value_or(0));
}

QueueReading down(std::string why) {
  QueueReading reading;
  reading.up = false;
  reading.failure = std::move(why);
  return reading;
}

/// One look: the conversation, and what has been read so far.
struct Look {
  RedisSession session;
  double now{};
  QueueReading reading{};
};

class RedisSource final : public QueueSource {
 public:
  explicit RedisSource(RedisQueue params) : params_{std::move(params)} {}

  std::string name() const override { return key_words() + " on " + params_.place(); }

  Task<QueueReading> look(CheckContext& context) override {
    auto opening = RedisSession::open(context.network, params_, reply_by(context));
    auto session = co_await std::move(opening);
    Look look{std::move(session), seconds_now(context)};
    auto entering = look.session.enter(params_);
    co_await std::move(entering);
    auto asking = look.session.ask(first_commands());
    const auto replies = co_await std::move(asking);
    const auto fault = fault_in(look.session, replies);
    if (fault && fault->is_ours()) co_return fault->error;
    if (fault) co_return down(fault->error.detail);
    if (!params_.workers.empty()) look.reading.consumers = count_in(replies.back());
    if (params_.stream.empty()) {
      read_collection(look, replies);
    } else if (params_.group.empty()) {
      look.reading.depth = count_in(replies.front());
      note_oldest(look, first_entry_id(replies[1]));
    } else {
      auto reading = read_group(look, replies);
      co_await std::move(reading);
    }
    co_return std::move(look.reading);
  }

 private:
  const std::string& key() const {
    if (!params_.list.empty()) return params_.list;
    return params_.stream.empty() ? params_.sorted_set : params_.stream;
  }
  std::string key_words() const {
    const auto* const kind = !params_.list.empty()    ? "list "
                             : params_.stream.empty() ? "sorted set "
                                                      : "stream ";
    return kind + quoted(key()) +
           (params_.group.empty() ? "" : " of group " + quoted(params_.group));
  }

  std::vector<Command> first_commands() const {
    std::vector<Command> commands;
    if (!params_.list.empty()) {
      commands.push_back({"LLEN", key()});
    } else if (!params_.sorted_set.empty()) {
      commands.push_back({"ZCARD", key()});
      commands.push_back({"ZRANGE", key(), "0", "0", "WITHSCORES"});
    } else if (params_.group.empty()) {
      commands.push_back({"XLEN", key()});
      commands.push_back({"XRANGE", key(), "-", "+", "COUNT", "1"});
    } else {
      commands.push_back({"XINFO", "GROUPS", key()});
      commands.push_back({"XPENDING", key(), params_.group});
      commands.push_back({"XINFO", "CONSUMERS", key(), params_.group});
      commands.push_back({"XLEN", key()});
    }
    if (!params_.workers.empty()) commands.push_back({"SCARD", params_.workers});
    return commands;
  }

  std::optional<RedisFault> fault_in(const RedisSession& session,
                                     const std::vector<RedisReply>& replies) const {
    if (session.fault()) return session.fault();
    const auto commands = first_commands();
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (!replies[i].is(Kind::error)) continue;
      auto fault = session.refused(commands[i].front(), replies[i]);
      const bool lacks =
          fault.refusal == RedisRefusal::no_such_key || starts_with(replies[i].text, "NOGROUP");
      if (lacks) fault.error.detail = session.place() + " has no " + key_words();
      return fault;
    }
    if (!params_.group.empty() && !find_stream_group(replies.front(), params_.group))
      return RedisFault{{Errc::missing, session.place() + " has no " + key_words()},
                        RedisRefusal::no_such_key};
    return std::nullopt;
  }

  void read_collection(Look& look, const std::vector<RedisReply>& replies) const {
    look.reading.depth = count_in(replies.front());
    if (params_.sorted_set.empty() || replies[1].items.size() < 2) return;
    if (const auto score = to_real(replies[1].items[1].text))
      look.reading.oldest_seconds = age_of_moment(*score, look.now);
  }

  static void note_oldest(Look& look, const std::optional<StreamId>& id) {
    if (id)
      look.reading.oldest_seconds = age_of_moment(static_cast<double>(id->milliseconds), look.now);
  }

  asio::awaitable<void> read_group(Look& look, const std::vector<RedisReply>& replies) const {
    const auto group = find_stream_group(replies.front(), params_.group).value_or(StreamGroup{});
    const auto length = count_in(replies[3]);
    const auto pending = group.pending.value_or(0);
    const auto idle_max = std::chrono::duration<double>(params_.consumer_idle).count();
    const auto consumers = count_stream_consumers(replies[2], idle_max);
    if (params_.workers.empty()) look.reading.consumers = consumers.active;
    note_oldest(look, least_pending_id(replies[1]));
    auto lag = group.lag;
    const bool first_wanted = !look.reading.oldest_seconds && lag.value_or(0) > 0;
    if (group.last_delivered && (!lag || first_wanted)) {
      auto counting = count_on(look, *group.last_delivered, lag ? 1 : page_entries);
      const auto counted = co_await std::move(counting);
      if (!lag) lag = counted;
    }
    if (!lag)
      look.reading.remarks.push_back(
          "how many are not delivered yet the server does not know: its whole length stands for "
          "it");
    look.reading.depth = pending + lag.value_or(length);
    if (group.lag && group.entries_read) {
      look.reading.in_total = *group.entries_read + *group.lag;
      look.reading.out_total = *group.entries_read - pending;
    }
    if (pending > 0)
      look.reading.remarks.push_back(describe_number(pending) +
                                     " delivered and not acknowledged, " +
                                     describe_number(lag.value_or(length)) + " not delivered yet");
    if (consumers.idle > 0)
      look.reading.remarks.push_back(describe_number(consumers.idle) +
                                     " of its consumers have not asked for more than " +
                                     describe(params_.consumer_idle));
  }

  /// How many entries come after `id`, the oldest of them noted; nothing when there are too many to
  /// count.
  asio::awaitable<std::optional<double>> count_on(Look& look, StreamId id,
                                                  std::size_t entries) const {
    double counted = 0;
    for (int page = 0; page < pages_max; ++page) {
      const Command command{"XRANGE", key(),   to_string(next(id)),
                            "+",      "COUNT", std::to_string(entries)};
      const std::vector<Command> commands{command};
      auto asking = look.session.ask(commands);
      const auto replies = co_await std::move(asking);
      if (replies.empty() || !replies.front().is(Kind::list)) co_return std::nullopt;
      const auto& range = replies.front();
      if (!look.reading.oldest_seconds) note_oldest(look, first_entry_id(range));
      counted += static_cast<double>(range.items.size());
      const auto last = last_entry_id(range);
      if (range.items.size() < entries || !last) co_return counted;
      if (entries == 1) co_return std::nullopt;
      id = *last;
    }
    co_return std::nullopt;
  }

  RedisQueue params_;
};

}  // namespace

void judge_source(const RedisQueue& params, const Node& map, Decoding& decoding) {
  judge_redis_server(params, map, decoding);
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  const auto named =
      int{!params.list.empty()} + int{!params.sorted_set.empty()} + int{!params.stream.empty()};
  if (named != 1) complain("list", "name one key: list, sorted_set or stream");
  if (!params.group.empty() && params.stream.empty())
    complain("group", "a group is one of a stream: name the stream");
  if (params.consumer_idle <= Duration{0})
    complain("consumer_idle", "expected a time that a consumer may be silent, as 10m");
}

std::unique_ptr<QueueSource> make_source(RedisQueue params) {
  return std::make_unique<RedisSource>(std::move(params));
}

}  // namespace tocsin::checks
