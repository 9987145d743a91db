#include "checks/rabbitmq_reply.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>

#include "checks/json_members.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

constexpr std::size_t word_characters_max = 60;
constexpr std::size_t reason_characters_max = 200;
/// AMQP 0-9-1 has names in short strings.
constexpr std::size_t name_bytes_max = 255;

std::optional<double> sum(std::optional<double> a, std::optional<double> b) {
  if (!a) return b;
  return b ? std::optional{*a + *b} : a;
}

/// Messages leave by acknowledgement, or by being handed over where none is asked for.
constexpr std::array<std::string_view, 3> ways_out{"ack", "deliver_no_ack", "get_no_ack"};

void read_statistics(const json::object& stats, RabbitmqQueueReply& reply) {
  const auto rate_of = [&](std::string_view counter) -> std::optional<double> {
    const auto* details = object_in(stats, std::string{counter} + "_details");
    return details == nullptr ? std::nullopt : count_in(*details, "rate");
  };
  reply.published = count_in(stats, "publish");
  reply.published_per_second = rate_of("publish");
  for (const auto way : ways_out) {
    reply.done = sum(reply.done, count_in(stats, way));
    reply.done_per_second = sum(reply.done_per_second, rate_of(way));
  }
}

RabbitmqQueueReply read_queue(const json::object& queue) {
  RabbitmqQueueReply reply;
  reply.state = cut_characters(clean_utf8(text_in(queue, "state")), word_characters_max);
  reply.messages = count_in(queue, "messages");
  reply.ready = count_in(queue, "messages_ready");
  reply.unacknowledged = count_in(queue, "messages_unacknowledged");
  reply.consumers = count_in(queue, "consumers");
  reply.head_timestamp = count_in(queue, "head_message_timestamp");
  if (const auto* stats = object_in(queue, "message_stats")) read_statistics(*stats, reply);
  return reply;
}

}  // namespace

bool RabbitmqQueueReply::is_down() const {
  // rabbit_amqqueue's and rabbit_quorum_queue's words for a queue whose process is gone or that has
  // lost its majority.
  constexpr std::array<std::string_view, 5> words{"down", "crashed", "stopped", "minority",
                                                  "noproc"};
  return std::find(words.begin(), words.end(), state) != words.end();
}

Result<RabbitmqQueueReply> parse_rabbitmq_queue(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  if (fault) return Error{Errc::malformed, "is not JSON: " + fault.message()};
  const auto* queue = document.if_object();
  if (queue == nullptr) return Error{Errc::malformed, "is JSON but not the description of a queue"};
  const bool described = queue->contains("name") || queue->contains("messages") ||
                         queue->contains("state") || queue->contains("consumers");
  if (!described) return Error{Errc::malformed, "is JSON but not the description of a queue"};
  return read_queue(*queue);
}

Result<RabbitmqPage> parse_rabbitmq_page(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  if (fault) return Error{Errc::malformed, "is not JSON: " + fault.message()};
  const auto* paged = document.if_object();
  const auto* listed = paged == nullptr ? nullptr : paged->if_contains("items");
  const auto* items = paged == nullptr    ? document.if_array()
                      : listed == nullptr ? nullptr
                                          : listed->if_array();
  if (items == nullptr) return Error{Errc::malformed, "is JSON but not a list of queues"};
  RabbitmqPage page;
  page.listed = items->size();
  if (paged != nullptr) {
    page.pages = whole_count_in(*paged, "page_count");
    page.listed = whole_count_in(*paged, "filtered_count");
  }
  page.queues.reserve(items->size());
  for (const auto& item : *items) {
    const auto* queue = item.if_object();
    if (queue == nullptr) continue;
    auto name = clean_utf8(text_in(*queue, "name"));
    if (name.empty() || name.size() > name_bytes_max) continue;
    page.queues.push_back({std::move(name), read_queue(*queue)});
  }
  return page;
}

bool is_beyond_last_page(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  const auto* object = fault ? nullptr : document.if_object();
  return object != nullptr && text_in(*object, "error") == "page_out_of_range";
}

std::string rabbitmq_alarms(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  const auto* object = fault ? nullptr : document.if_object();
  if (object == nullptr) return {};
  std::string words;
  for (const auto& item : items_in(*object, "alarms")) {
    const auto* alarm = item.if_object();
    if (alarm == nullptr || text_in(*alarm, "resource").empty()) continue;
    words += words.empty() ? "" : ", ";
    words += clean_utf8(text_in(*alarm, "resource"));
    if (const auto node = text_in(*alarm, "node"); !node.empty())
      words += " on " + clean_utf8(node);
    if (words.size() > reason_characters_max) break;
  }
  return cut_characters(words, reason_characters_max);
}

std::string rabbitmq_reason(std::string_view body) {
  boost::system::error_code fault;
  const auto document = json::parse({body.data(), body.size()}, fault);
  const auto* object = fault ? nullptr : document.if_object();
  if (object == nullptr) return {};
  auto reason = text_in(*object, "reason");
  if (reason.empty()) reason = text_in(*object, "error");
  return cut_characters(clean_utf8(reason), reason_characters_max);
}

}  // namespace tocsin::checks
