#include "checks/memory.hpp"

#include "checks/group_memory.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct MemoryParams {
  static constexpr auto fields() { return std::tuple<>{}; }
};

enum : std::uint16_t {
  available_bytes,
  available_ratio,
  swap_used_ratio,
  swap_in,
  swap_out,
  oom_kills
};

const std::vector<SampleSpec>& memory_specs() {
  static const std::vector<SampleSpec> specs{
      {"available_bytes", Unit::bytes,
       "Memory that programs can still have without swapping; in a container, of its limit."},
      {"available_ratio", Unit::ratio, "The same as a share of all memory, or of the limit."},
      {"swap_used_ratio", Unit::ratio, "Share of swap in use; 0 on a host without swap."},
      {"swap_in_bytes_per_second", Unit::bytes_per_second,
       "Read back from swap since the last run; from the second run on."},
      {"swap_out_bytes_per_second", Unit::bytes_per_second,
       "Written to swap since the last run; from the second run on."},
      {"oom_kills", Unit::none,
       "Processes the kernel killed for want of memory since the last run; needs Linux 4.13."},
  };
  return specs;
}

class MemoryCheck final : public Check {
 public:
  MemoryCheck(std::string /*name*/, MemoryParams /*params*/) {}

  std::span<const SampleSpec> specs() const override { return memory_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto& files = context.files;
    const auto info_text = info_.read(files);
    if (!info_text) co_return info_text.error();
    const auto info = parse_memory_info(*info_text);
    if (!info) co_return info.error();
    const auto group = group_.read(files, info->total);
    if (!group) co_return group.error();
    const auto paging_text = paging_.read(files);
    if (!paging_text) co_return paging_text.error();
    const auto paging = parse_paging_counts(*paging_text);
    if (!paging) co_return paging.error();

    Samples samples;
    samples.reserve(memory_specs().size());
    put_room(samples, *info, *group, files);
    put_paging(samples, *paging, context);
    // The host's count includes other containers' kills; ours has a count of its own.
    const auto kills = *group ? group_.oom_kills(files) : paging->oom_kills;
    if (kills) {
      const auto before = kills_.value_or(*kills);
      put(samples, oom_kills, *kills > before ? static_cast<double>(*kills - before) : 0.0);
    }
    kills_ = kills;
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    add_victims(evidence, context.files);
    auto look = look_at_processes(context, {});
    const auto rows = co_await std::move(look);
    add_top_memory(evidence, rows);
    add_blocked(evidence, rows, context.files);
    for (const auto& row : rows) {
      // One process that holds most of the memory is a cause worth naming.
      if (total_ == 0 || row.rss_bytes < total_ / 2) continue;
      evidence.probable_cause = row.name + " (pid " + std::to_string(row.pid) + ") holds " +
                                describe_quantity(static_cast<double>(row.rss_bytes), Unit::bytes) +
                                " of " +
                                describe_quantity(static_cast<double>(total_), Unit::bytes);
      break;
    }
    co_return evidence;
  }

 private:
  void put_room(Samples& samples, const MemoryInfo& info, const std::optional<GroupMemory>& group,
                const HostFiles& files) {
    total_ = group ? group->limit : info.total;
    const auto available = group ? std::min(group->available(), info.available) : info.available;
    put(samples, available_bytes, static_cast<double>(available));
    put(samples, available_ratio, static_cast<double>(available) / static_cast<double>(total_));
    const auto of_group = group ? group_.swap_used(files) : std::nullopt;
    if (of_group)
      put(samples, swap_used_ratio, *of_group);
    else
      put(samples, swap_used_ratio,
          info.swap_total == 0 ? 0.0
                               : static_cast<double>(info.swap_total - info.swap_free) /
                                     static_cast<double>(info.swap_total));
  }

  void put_paging(Samples& samples, const PagingCounts& counts, const CheckContext& context) {
    const auto now = context.clock.steady();
    const std::chrono::duration<double> passed = now - paged_at_;
    if (counts_ && !context.gap && passed.count() > 0) {
      const auto rate = [&](std::uint64_t before, std::uint64_t after) {
        const auto pages = after > before ? after - before : 0;
        return static_cast<double>(pages) * static_cast<double>(context.files.page_bytes()) /
               passed.count();
      };
      put(samples, swap_in, rate(counts_->pages_in, counts.pages_in));
      put(samples, swap_out, rate(counts_->pages_out, counts.pages_out));
    }
    counts_ = counts;
    paged_at_ = now;
  }

  static void add_victims(Evidence& evidence, const HostFiles& files) {
    constexpr std::size_t victims_most = 5;
    // Where syslog daemons keep the kernel's words; hosts with a journal only have neither.
    for (const auto* path : {"/var/log/kern.log", "/var/log/messages"}) {
      const auto log = files.read(path);
      if (!log) continue;
      std::string line;
      for (const auto& victim : parse_oom_victims(*log, victims_most))
        line += (line.empty() ? "" : ", ") + victim;
      if (line.empty()) continue;
      add_line(evidence,
               "Killed for want of memory, newest last (" + std::string{path} + "): " + line);
      return;
    }
  }

  KeptFile info_{"/proc/meminfo"};
  KeptFile paging_{"/proc/vmstat"};
  GroupMemoryReader group_;
  std::uint64_t total_{0};
  std::optional<PagingCounts> counts_;
  SteadyTime paged_at_{};
  std::optional<std::uint64_t> kills_;
};

}  // namespace

CheckType memory_check() {
  return check_type<MemoryParams, MemoryCheck>({
      .name = "memory",
      .summary = "Memory that is left (of the container's limit in a container), swap, and "
                 "processes killed for want of memory.",
      .samples = memory_specs(),
      .default_critical = {"available_ratio < 3% for 2m", "oom_kills > 0"},
      .example = "name: memory\n"
                 "type: memory\n"
                 "warning: available_ratio < 10% for 5m\n"
                 "critical:\n"
                 "  - available_ratio < 5% and swap_used_ratio > 80% for 1m\n"
                 "  - oom_kills > 0\n",
  });
}

}  // namespace tocsin
