#include "checks/pressure.hpp"

#include <array>

#include "checks/kept_file.hpp"
#include "checks/psi.hpp"
#include "checks/top_processes.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

// The kernel looks at stalls within this window, and says so at most once in it. Without privileges
// the window must be a multiple of two seconds (Documentation/accounting/psi.rst).
constexpr Duration window = 2s;

struct PressureParams {
  Ratio memory_trigger{0.1};
  Ratio io_trigger{0.3};
  static constexpr auto fields() {
    return std::tuple{
        field("memory_trigger", &PressureParams::memory_trigger,
              "Run at once when all work stood still for want of memory for this share of two "
              "seconds; 0 leaves it to the timer."),
        field("io_trigger", &PressureParams::io_trigger, "The same for io."),
    };
  }
};

enum : std::uint16_t { cpu_some, cpu_full, memory_some, memory_full, io_some, io_full };

const std::vector<SampleSpec>& pressure_specs() {
  static const std::vector<SampleSpec> specs{
      {"cpu_some_ratio", Unit::ratio,
       "Share of the last ten seconds in which some task waited for a processor."},
      {"cpu_full_ratio", Unit::ratio, "Share in which every task did; needs Linux 5.13."},
      {"memory_some_ratio", Unit::ratio,
       "Share of the last ten seconds in which some task stood still for want of memory."},
      {"memory_full_ratio", Unit::ratio, "Share in which every task did."},
      {"io_some_ratio", Unit::ratio,
       "Share of the last ten seconds in which some task stood still for want of io."},
      {"io_full_ratio", Unit::ratio, "Share in which every task did."},
  };
  return specs;
}

class PressureCheck final : public Check {
 public:
  PressureCheck(std::string /*name*/, PressureParams params) : params_{params} {}

  std::span<const SampleSpec> specs() const override { return pressure_specs(); }

  Task<Samples> run(CheckContext& context) override {
    Samples samples;
    samples.reserve(pressure_specs().size());
    for (auto& resource : resources_) {
      const auto text = resource.file.read(context.files);
      if (!text) co_return why_not(text.error());
      const auto pressure = parse_pressure(resource.file.path(), *text);
      if (!pressure) co_return pressure.error();
      put(samples, resource.some, pressure->some);
      if (pressure->full) put(samples, resource.full, *pressure->full);
    }
    arm_once(context);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    auto look = look_at_processes(context, {.rates = true, .storage = true});
    const auto rows = co_await std::move(look);
    add_top_memory(evidence, rows);
    add_top_storage(evidence, rows);
    add_top_cpu(evidence, rows);
    add_blocked(evidence, rows, context.files);
    co_return evidence;
  }

 private:
  struct Resource {
    KeptFile file;
    std::uint16_t some;
    std::uint16_t full;
  };

  static Error why_not(const Error& error) {
    if (error.code != Errc::missing) return error;
    return {Errc::unsupported,
            "this kernel tells no pressure (" + error.detail +
                "): it needs Linux 4.20 with CONFIG_PSI, on some systems the boot option psi=1; "
                "until then watch it with the cpu and memory checks"};
  }

  /// Tried once: what the kernel refuses now it will refuse later, and the averages are read all
  /// the same.
  void arm_once(CheckContext& context) {
    if (armed_) return;
    armed_ = true;
    // The context is of this run only; what `nudge` refers to outlives the check.
    const auto* nudge = &context.nudge;
    const auto arm = [&](const std::string& path, Ratio share) {
      using Microseconds = std::chrono::microseconds;
      const auto whole = std::chrono::duration_cast<Microseconds>(window).count();
      const auto stall = static_cast<std::int64_t>(share.value * static_cast<double>(whole));
      if (stall <= 0) return;
      auto trigger =
          context.pressure.arm(path, "full " + std::to_string(stall) + " " + std::to_string(whole),
                               [nudge] { (*nudge)(); });
      if (trigger) triggers_.push_back(*std::move(trigger));
    };
    arm("/proc/pressure/memory", params_.memory_trigger);
    arm("/proc/pressure/io", params_.io_trigger);
  }

  PressureParams params_;
  std::array<Resource, 3> resources_{
      Resource{KeptFile{"/proc/pressure/cpu"}, cpu_some, cpu_full},
      Resource{KeptFile{"/proc/pressure/memory"}, memory_some, memory_full},
      Resource{KeptFile{"/proc/pressure/io"}, io_some, io_full},
  };
  bool armed_{false};
  std::vector<std::unique_ptr<PressureTriggers::Trigger>> triggers_;
};

}  // namespace

CheckType pressure_check() {
  return check_type<PressureParams, PressureCheck>({
      .name = "pressure",
      .summary = "How much work stands still for want of cpu, memory or io, as the kernel measures "
                 "it (PSI); the kernel's triggers make it look at once.",
      .samples = pressure_specs(),
      .default_critical = {"memory_full_ratio > 20% for 1m", "io_full_ratio > 60% for 2m"},
      .example = "name: pressure\n"
                 "type: pressure\n"
                 "memory_trigger: 10%\n"
                 "warning: io_full_ratio > 40% for 5m\n"
                 "critical: memory_full_ratio > 20% for 1m\n",
  });
}

}  // namespace tocsin
