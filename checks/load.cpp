#include "checks/load.hpp"

#include "checks/kept_file.hpp"
#include "checks/loadavg.hpp"
#include "checks/proc_stat.hpp"
#include "checks/top_processes.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct LoadParams {
  static constexpr auto fields() { return std::tuple<>{}; }
};

enum : std::uint16_t {
  load1,
  load5,
  load15,
  load1_per_core,
  load5_per_core,
  load15_per_core,
  running,
  blocked
};

const std::vector<SampleSpec>& load_specs() {
  static const std::vector<SampleSpec> specs{
      {"load1", Unit::none, "Tasks that ran or waited for cpu or io, averaged over a minute."},
      {"load5", Unit::none, "The same over five minutes."},
      {"load15", Unit::none, "The same over fifteen minutes."},
      {"load1_per_core", Unit::none, "load1 divided by the processors that are online."},
      {"load5_per_core", Unit::none, "load5 divided by the processors that are online."},
      {"load15_per_core", Unit::none, "load15 divided by the processors that are online."},
      {"running", Unit::none, "Tasks that run or are ready to, now."},
      {"blocked", Unit::none, "Tasks that wait for io (state D), now."},
  };
  return specs;
}

class LoadCheck final : public Check {
 public:
  LoadCheck(std::string /*name*/, LoadParams /*params*/) {}

  std::span<const SampleSpec> specs() const override { return load_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto averages_text = averages_.read(context.files);
    if (!averages_text) co_return averages_text.error();
    const auto averages = parse_load_averages(*averages_text);
    if (!averages) co_return averages.error();
    const auto stat_text = stat_.read(context.files);
    if (!stat_text) co_return stat_text.error();
    const auto tasks = parse_task_counts(*stat_text);
    if (!tasks) co_return tasks.error();

    const auto cores = static_cast<double>(tasks->processors);
    Samples samples;
    samples.reserve(load_specs().size());
    put(samples, load1, averages->one);
    put(samples, load5, averages->five);
    put(samples, load15, averages->fifteen);
    put(samples, load1_per_core, averages->one / cores);
    put(samples, load5_per_core, averages->five / cores);
    put(samples, load15_per_core, averages->fifteen / cores);
    put(samples, running, static_cast<double>(tasks->running));
    put(samples, blocked, static_cast<double>(tasks->blocked));
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    auto look = look_at_processes(context, {.rates = true});
    const auto rows = co_await std::move(look);
    add_top_cpu(evidence, rows);
    add_blocked(evidence, rows, context.files);
    co_return evidence;
  }

 private:
  KeptFile averages_{"/proc/loadavg"};
  KeptFile stat_{"/proc/stat"};
};

}  // namespace

CheckType load_check() {
  return check_type<LoadParams, LoadCheck>({
      .name = "load",
      .summary = "Load averages, alone and per processor, and tasks that run or wait for io.",
      .samples = load_specs(),
      .default_critical = {"load1_per_core > 4 for 5m"},
      .example = "name: load\n"
                 "type: load\n"
                 "warning: load5_per_core > 2 for 10m\n"
                 "critical: load1_per_core > 4 for 5m\n",
  });
}

}  // namespace tocsin
