#include "checks/cpu.hpp"

#include "checks/kept_file.hpp"
#include "checks/proc_stat.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

// How long the first run looks, having nothing to compare with. Ten ticks of each processor.
constexpr Duration first_look = 100ms;

struct CpuParams {
  static constexpr auto fields() { return std::tuple<>{}; }
};

enum : std::uint16_t { busy, user, system_time, iowait, steal, softirq };

const std::vector<SampleSpec>& cpu_specs() {
  static const std::vector<SampleSpec> specs{
      {"busy_ratio", Unit::ratio,
       "Share of all processors' time since the last run that was neither idle nor waiting for "
       "io."},
      {"user_ratio", Unit::ratio, "Share spent in programs, niced ones and guests included."},
      {"system_ratio", Unit::ratio, "Share spent in the kernel, interrupts apart."},
      {"iowait_ratio", Unit::ratio, "Share that was idle while a task waited for storage."},
      {"steal_ratio", Unit::ratio, "Share that the hypervisor gave to others."},
      {"softirq_ratio", Unit::ratio, "Share spent on soft interrupts, mostly the network's."},
  };
  return specs;
}

class CpuCheck final : public Check {
 public:
  CpuCheck(std::string /*name*/, CpuParams /*params*/) {}

  std::span<const SampleSpec> specs() const override { return cpu_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (context.gap) {
      previous_.reset();
      shares_.reset();
    }
    auto now = reading(context);
    if (!now) co_return now.error();
    if (!previous_) {
      previous_ = *now;
      auto pause = context.clock.sleep_until(context.clock.steady() + first_look);
      co_await std::move(pause);
      now = reading(context);
      if (!now) co_return now.error();
    }
    const auto shares = shares_between(*previous_, *now);
    // Two runs within a tick: what was true then is true now.
    if (shares) {
      shares_ = shares;
      previous_ = *now;
    }
    if (!shares_)
      co_return Error{
          Errc::malformed,
          "/proc/stat stands still: its 'cpu' line counted no time in " + describe(first_look)};
    Samples samples;
    samples.reserve(cpu_specs().size());
    put(samples, busy, shares_->busy);
    put(samples, user, shares_->user);
    put(samples, system_time, shares_->system);
    put(samples, iowait, shares_->iowait);
    put(samples, steal, shares_->steal);
    put(samples, softirq, shares_->softirq);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    auto look = look_at_processes(context, {.rates = true, .storage = true});
    const auto rows = co_await std::move(look);
    add_top_cpu(evidence, rows);
    add_top_storage(evidence, rows);
    add_blocked(evidence, rows, context.files);
    blame(evidence, rows, context.files.cpu_count());
    co_return evidence;
  }

 private:
  Result<CpuTimes> reading(CheckContext& context) {
    const auto text = stat_.read(context.files);
    if (!text) return text.error();
    return parse_cpu_times(*text);
  }

  /// One process that keeps most of the host busy is a cause worth naming.
  static void blame(Evidence& evidence, const std::vector<ProcessRow>& rows, int cores) {
    for (const auto& row : rows) {
      if (cores < 1 || row.cores < 0.5 * cores) continue;
      evidence.probable_cause = row.name + " (pid " + std::to_string(row.pid) + ") keeps " +
                                describe_number(row.cores) + " of " + std::to_string(cores) +
                                " processors busy";
      return;
    }
  }

  KeptFile stat_{"/proc/stat"};
  std::optional<CpuTimes> previous_;
  std::optional<CpuShares> shares_;
};

}  // namespace

CheckType cpu_check() {
  return check_type<CpuParams, CpuCheck>({
      .name = "cpu",
      .summary = "How the processors spend their time: busy, waiting for io, taken by the "
                 "hypervisor.",
      .samples = cpu_specs(),
      .default_critical = {"iowait_ratio > 50% for 5m"},
      .example = "name: iowait\n"
                 "type: cpu\n"
                 "every: 2s\n"
                 "warning: steal_ratio > 10% for 10m\n"
                 "critical: iowait_ratio > 40% for 2m\n"
                 "clear: iowait_ratio < 20% for 5m\n",
  });
}

}  // namespace tocsin
