#include "checks/elasticsearch_reply.hpp"

#include <array>

#include <boost/json/parse.hpp>

#include "checks/json_members.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

constexpr std::size_t name_characters_max = 80;
constexpr std::size_t sentence_characters_max = 220;
constexpr std::array<std::string_view, 3> words{"green", "yellow", "red"};

json::value parsed(std::string_view body, boost::system::error_code& fault) {
  return json::parse({body.data(), body.size()}, fault);
}

std::optional<double> scaled(std::optional<double> value, double factor) {
  if (value) *value *= factor;
  return value;
}

std::string named(std::string_view text) {
  return cut_characters(clean_utf8(text), name_characters_max);
}

}  // namespace

std::string_view status_word(double status) { return words[status < 1 ? 0 : status < 2 ? 1 : 2]; }

Result<ClusterHealth> parse_cluster_health(std::string_view body) {
  boost::system::error_code fault;
  const auto document = parsed(body, fault);
  if (fault) return Error{Errc::malformed, "is not JSON: " + fault.message()};
  const auto* object = document.if_object();
  const auto word = object == nullptr ? std::string_view{} : text_in(*object, "status");
  ClusterHealth health;
  while (health.status < words.size() && words[static_cast<std::size_t>(health.status)] != word)
    ++health.status;
  if (health.status >= words.size())
    return Error{Errc::malformed, "is JSON but not the health of a cluster"};
  health.cluster = named(text_in(*object, "cluster_name"));
  const auto* timed_out = object->if_contains("timed_out");
  health.timed_out = timed_out != nullptr && timed_out->is_bool() && timed_out->get_bool();
  const auto count = [&](std::string_view name) { return count_in(*object, name); };
  health.nodes = count("number_of_nodes");
  health.data_nodes = count("number_of_data_nodes");
  health.active_shards = count("active_shards");
  health.active_primary_shards = count("active_primary_shards");
  health.relocating_shards = count("relocating_shards");
  health.initializing_shards = count("initializing_shards");
  health.unassigned_shards = count("unassigned_shards");
  health.delayed_unassigned_shards = count("delayed_unassigned_shards");
  health.pending_tasks = count("number_of_pending_tasks");
  health.in_flight_fetches = count("number_of_in_flight_fetch");
  health.task_queue_seconds = scaled(count("task_max_waiting_in_queue_millis"), 0.001);
  health.active_shards_ratio = scaled(count("active_shards_percent_as_number"), 0.01);
  return health;
}

std::string describe_allocation(std::string_view body) {
  boost::system::error_code fault;
  const auto document = parsed(body, fault);
  const auto* object = fault ? nullptr : document.if_object();
  if (object == nullptr) return {};
  const auto index = named(text_in(*object, "index"));
  const auto shard = count_in(*object, "shard");
  if (index.empty() || !shard) return {};
  const auto* primary = object->if_contains("primary");
  const bool is_primary = primary != nullptr && primary->is_bool() && primary->get_bool();
  auto line = std::string{is_primary ? "primary" : "replica"} + " shard " +
              describe_number(*shard) + " of index " + index + " is " +
              named(text_in(*object, "current_state"));
  if (const auto* info = object_in(*object, "unassigned_info")) {
    const auto reason = named(text_in(*info, "reason"));
    const auto since = named(text_in(*info, "at"));
    if (!since.empty()) line += " since " + since;
    if (!reason.empty()) line += " (" + reason + ")";
  }
  const auto why = clean_utf8(text_in(*object, "allocate_explanation"));
  if (!why.empty()) line += ": " + cut_characters(why, sentence_characters_max);
  return line;
}

std::string elasticsearch_reason(std::string_view body) {
  boost::system::error_code fault;
  const auto document = parsed(body, fault);
  const auto* object = fault ? nullptr : document.if_object();
  if (object == nullptr) return {};
  const auto* error = object_in(*object, "error");
  // Elasticsearch gives an object; proxies and the security plugin may give a text.
  if (error == nullptr) return named(text_in(*object, "error"));
  const auto type = named(text_in(*error, "type"));
  const auto reason =
      cut_characters(clean_utf8(text_in(*error, "reason")), sentence_characters_max);
  return type + (type.empty() || reason.empty() ? "" : ": ") + reason;
}

}  // namespace tocsin::checks
