// What a management interface answers: any bytes must give a queue's numbers, a page of them or an
// error, and no number that is none.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "checks/rabbitmq_reply.hpp"
#include "tocsin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::check_that;
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  const auto counts = [](const std::optional<double>& number) {
    return !number || (std::isfinite(*number) && *number >= 0);
  };
  const auto judge = [&](const tocsin::checks::RabbitmqQueueReply& reply) {
    check_that(counts(reply.messages) && counts(reply.ready), "messages are counted");
    check_that(counts(reply.unacknowledged) && counts(reply.consumers), "consumers are counted");
    check_that(counts(reply.published) && counts(reply.published_per_second), "what came in is");
    check_that(counts(reply.head_timestamp), "a time is one");
    check_that(reply.state.size() <= 4 * 60, "a state is a word");
  };
  if (const auto reply = tocsin::checks::parse_rabbitmq_queue(body))
    judge(*reply);
  else
    check_that(!reply.error().detail.empty(), "an error has its sentence");
  if (const auto page = tocsin::checks::parse_rabbitmq_page(body)) {
    for (const auto& one : page->queues) {
      check_that(!one.name.empty() && one.name.size() <= 255, "a queue has a name");
      judge(one.queue);
    }
  } else {
    check_that(!page.error().detail.empty(), "an error has its sentence");
  }
  static_cast<void>(tocsin::checks::is_beyond_last_page(body));
  check_that(tocsin::checks::rabbitmq_alarms(body).size() <= 4 * 200, "alarms are a line");
  check_that(tocsin::checks::rabbitmq_reason(body).size() <= 4 * 200, "a reason is a line");
  return 0;
}
