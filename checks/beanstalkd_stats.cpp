#include "checks/beanstalkd_stats.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// Calls `use(key, value)` for each line of a flat YAML map.
template <class Use>
void each_pair(std::string_view yaml, const Use& use) {
  while (!yaml.empty()) {
    const auto line = trim(take_line(yaml));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
      use(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
}

/// A count, or a time in seconds: neither is ever below zero.
std::optional<double> to_count(std::string_view value) {
  const auto number = to_real(value);
  return number && *number >= 0 ? number : std::nullopt;
}

}  // namespace

BeanstalkdAnswer parse_beanstalkd_answer(std::string_view line) {
  using Kind = BeanstalkdAnswer::Kind;
  constexpr std::array<std::string_view, 5> refusals{"OUT_OF_MEMORY", "INTERNAL_ERROR",
                                                     "BAD_FORMAT", "UNKNOWN_COMMAND", "DRAINING"};
  BeanstalkdAnswer answer;
  Words words{line};
  const auto first = words.next();
  if (first == "NOT_FOUND") answer.kind = Kind::not_found;
  if (first == "USING") answer.kind = Kind::done;
  if (std::find(refusals.begin(), refusals.end(), first) != refusals.end())
    answer.kind = Kind::refused;
  if (first != "OK" && first != "FOUND") return answer;
  const auto job = first == "FOUND" ? words.number() : std::uint64_t{0};
  const auto bytes = words.number();
  if (!job || !bytes || !words.next().empty()) return answer;
  return {first == "OK" ? Kind::data : Kind::job, *job, *bytes};
}

BeanstalkdTube parse_beanstalkd_tube(std::string_view yaml) {
  using Count = BeanstalkdTube::Count;
  constexpr std::pair<std::string_view, Count BeanstalkdTube::*> places[] = {
      {"current-jobs-ready", &BeanstalkdTube::ready},
      {"current-jobs-reserved", &BeanstalkdTube::reserved},
      {"current-jobs-delayed", &BeanstalkdTube::delayed},
      {"current-jobs-buried", &BeanstalkdTube::buried},
      {"current-jobs-urgent", &BeanstalkdTube::urgent},
      {"total-jobs", &BeanstalkdTube::total_jobs},
      {"cmd-delete", &BeanstalkdTube::deleted},
      {"current-watching", &BeanstalkdTube::watching},
      {"current-waiting", &BeanstalkdTube::waiting},
      {"current-using", &BeanstalkdTube::using_it},
      {"pause-time-left", &BeanstalkdTube::pause_left_seconds},
  };
  BeanstalkdTube tube;
  each_pair(yaml, [&](std::string_view key, std::string_view value) {
    for (const auto& [name, member] : places)
      if (name == key) tube.*member = to_count(value);
  });
  return tube;
}

std::optional<double> parse_beanstalkd_job_age(std::string_view yaml) {
  std::optional<double> age;
  each_pair(yaml, [&](std::string_view key, std::string_view value) {
    if (key == "age") age = to_count(value);
  });
  return age;
}

}  // namespace tocsin::checks
