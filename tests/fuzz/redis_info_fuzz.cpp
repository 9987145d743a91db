// What a Redis server says: any bytes must give a state or nothing, and no number that is none.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "checks/redis_errors.hpp"
#include "checks/redis_evidence.hpp"
#include "checks/redis_info.hpp"
#include "checks/redis_stream.hpp"
#include "tocsin/base/error.hpp"

namespace {

/// The whole of it through hiredis' reader, as the answer of a server.
void read_replies(std::string_view text) {
  using tocsin::check_that;
  tocsin::checks::RedisReader reader;
  reader.begin_round();
  if (!reader.feed(text)) return;
  for (;;) {
    const auto reply = reader.next();
    if (!reply || !*reply) return;
    const auto& value = **reply;
    check_that(value.items.size() <= tocsin::checks::RedisReader::elements_max, "lists end");
    (void)value.member("name");
    (void)tocsin::checks::find_stream_group(value, "g");
    (void)tocsin::checks::first_entry_id(value);
    (void)tocsin::checks::least_pending_id(value);
    (void)tocsin::checks::count_stream_consumers(value, 60);
    (void)tocsin::checks::describe_slow_log(value, 1.7e9);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::check_that;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto info = tocsin::checks::parse_redis_info(text);
  const auto is_time = [](const std::optional<double>& number) {
    return !number || (std::isfinite(*number) && *number >= 0);
  };
  check_that(info.replicas.size() <= info.replicas_max, "replicas are bounded");
  check_that(is_time(info.server_time) && is_time(info.last_save_time), "a time is one");
  check_that(is_time(info.link_down_seconds) && is_time(info.loading_eta_seconds), "so are these");
  const auto lines =
      tocsin::checks::describe_redis(info, tocsin::checks::redis_now(info, 1'700'000'000));
  check_that(lines.size() <= 9, "the evidence is bounded");
  (void)tocsin::checks::redis_cause(info, "redis:6379");
  (void)tocsin::checks::redis_recovery(info);
  check_that(!tocsin::checks::describe_redis_error("redis:6379", "PING", text).empty(), "words");
  if (const auto id = tocsin::checks::parse_stream_id(text))
    check_that(tocsin::checks::parse_stream_id(tocsin::checks::to_string(*id)) == id,
               "an id reads back as it was written");
  read_replies(text);
  return 0;
}
