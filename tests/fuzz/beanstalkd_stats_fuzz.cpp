// What a beanstalkd says: any bytes must give counts or nothing.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "checks/beanstalkd_stats.hpp"
#include "tocsin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::check_that;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto counts = [](const std::optional<double>& number) {
    return !number || (std::isfinite(*number) && *number >= 0);
  };
  const auto tube = tocsin::checks::parse_beanstalkd_tube(text);
  check_that(counts(tube.ready) && counts(tube.reserved) && counts(tube.delayed), "jobs count");
  check_that(counts(tube.buried) && counts(tube.urgent) && counts(tube.total_jobs), "all of them");
  check_that(counts(tube.deleted) && counts(tube.watching) && counts(tube.waiting), "people too");
  check_that(counts(tube.using_it) && counts(tube.pause_left_seconds), "and a pause");
  check_that(counts(tocsin::checks::parse_beanstalkd_job_age(text)), "an age is one");
  const auto answer = tocsin::checks::parse_beanstalkd_answer(text);
  if (answer.kind == tocsin::checks::BeanstalkdAnswer::Kind::foreign)
    check_that(answer.bytes == 0 && answer.job == 0, "what is foreign announces nothing");
  return 0;
}
