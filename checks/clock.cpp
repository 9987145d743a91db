#include "checks/clock.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "checks/top_processes.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct ClockParams {
  static constexpr auto fields() { return std::tuple<>{}; }
};

enum : std::uint16_t { synchronised, offset, maximum_error, estimated_error };

const std::vector<SampleSpec>& clock_specs() {
  static const std::vector<SampleSpec> specs{
      {"synchronised", Unit::none,
       "1 while a time daemon keeps the clock in step. The kernel takes it for lost once it may be "
       "off by 16 seconds, about nine hours after the daemon last said something."},
      {"offset_seconds", Unit::seconds,
       "How far the clock is off by what the kernel has still to correct, whichever way. chronyd "
       "corrects by itself and leaves 0 here: its error is in estimated_error_seconds."},
      {"maximum_error_seconds", Unit::seconds,
       "How far off the clock may be at most; grows by 0.5 ms a second between the daemon's "
       "updates."},
      {"estimated_error_seconds", Unit::seconds,
       "How far off the daemon believes the clock to be; ntpd, chronyd and others tell."},
  };
  return specs;
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Programs that keep clocks, by their names in /proc, which end after 15 bytes.
constexpr std::array daemons{"chronyd", "ntpd",    "systemd-timesyn", "openntpd",  "ntpd-rs",
                             "ptp4l",   "phc2sys", "timemaster",      "ntp-daemon"};

bool keeps_clocks(const ProcessRow& row) {
  return std::find(daemons.begin(), daemons.end(), row.name) != daemons.end();
}

class ClockCheck final : public Check {
 public:
  ClockCheck(std::string /*name*/, ClockParams /*params*/) {}

  std::span<const SampleSpec> specs() const override { return clock_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto discipline = context.kernel_clock.discipline();
    if (!discipline) co_return discipline.error();
    last_ = *discipline;
    Samples samples;
    samples.reserve(clock_specs().size());
    put(samples, synchronised, last_.synchronised ? 1 : 0);
    put(samples, offset, std::abs(seconds(last_.offset)));
    put(samples, maximum_error, seconds(last_.maximum_error));
    put(samples, estimated_error, seconds(last_.estimated_error));
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    const auto quantity = [](Duration value) {
      return describe_quantity(seconds(value), Unit::seconds);
    };
    add_line(evidence, std::string{"The clock is "} +
                           (last_.synchronised ? "synchronised" : "not synchronised") +
                           "; the kernel has to correct " + quantity(last_.offset) +
                           ", estimated error " + quantity(last_.estimated_error) +
                           ", maximum error " + quantity(last_.maximum_error));
    auto looking = look_at_processes(context, {});
    const auto rows = co_await std::move(looking);
    std::string running;
    for (const auto& row : rows)
      if (keeps_clocks(row))
        running += (running.empty() ? "" : ", ") + row.name + " (" + std::to_string(row.pid) + ")";
    add_line(evidence, running.empty()
                           ? "No time daemon runs: neither chronyd, ntpd, systemd-timesyncd nor "
                             "another that is known here"
                           : "Running: " + running);
    if (!last_.synchronised && !rows.empty())
      evidence.probable_cause =
          running.empty() ? "no time daemon runs on this host"
                          : running +
                                " runs but does not keep the clock in step: its servers may "
                                "not answer, or it may not have the right to set the clock";
    co_return evidence;
  }

 private:
  ClockDiscipline last_{};
};

}  // namespace

CheckType clock_check() {
  return check_type<ClockParams, ClockCheck>({
      .name = "clock",
      .summary = "Whether the wall clock is kept in step, and how far off it may be.",
      .samples = clock_specs(),
      .default_critical = {"synchronised < 1 for 30m"},
      .example = "name: clock\n"
                 "type: clock\n"
                 "every: 1m\n"
                 "warning: maximum_error_seconds > 1s for 30m\n"
                 "critical: [synchronised < 1 for 30m, offset_seconds > 500ms for 10m]\n",
  });
}

}  // namespace tocsin
