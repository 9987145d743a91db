#include "checks/limits.hpp"

#include <algorithm>
#include <array>

#include "checks/kept_file.hpp"
#include "checks/kernel_tables.hpp"
#include "checks/open_descriptors.hpp"
#include "checks/top_processes.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct LimitsParams {
  static constexpr auto fields() { return std::tuple<>{}; }
};

enum : std::uint16_t { handles_ratio, handles, pids_ratio, pids, conntrack_ratio, conntrack };

const std::vector<SampleSpec>& limits_specs() {
  static const std::vector<SampleSpec> specs{
      {"handles_used_ratio", Unit::ratio,
       "Share of the file handles in use that the whole system may have (fs.file-max)."},
      {"handles", Unit::none, "File handles in use."},
      {"pids_used_ratio", Unit::ratio,
       "Share of the processes and threads that there may be, by the lowest of kernel.pid_max, "
       "kernel.threads-max and, in a container, its own limit."},
      {"pids", Unit::none, "Processes and threads that there are on the host."},
      {"conntrack_used_ratio", Unit::ratio,
       "Share of the connection tracking table in use; only where connections are tracked."},
      {"conntrack", Unit::none, "Connections that are tracked."},
  };
  return specs;
}

/// The limit of the container that we are in. A host's own root has none.
class GroupPids {
 public:
  Result<std::optional<TableUse>> read(const HostFiles& files) {
    if (!place_) place_ = find(files);
    if (*place_ == none) return std::optional<TableUse>{};
    auto& files_of_place = places_[*place_];
    const auto limit_text = files_of_place.most.read(files);
    if (!limit_text) return limit_text.error();
    const auto limit = parse_pids_limit(*limit_text);
    if (!limit) return limit.error();
    if (!limit->has_value()) return std::optional<TableUse>{};
    const auto used_text = files_of_place.used.read(files);
    if (!used_text) return used_text.error();
    const auto used = parse_single_number(files_of_place.used.path(), *used_text);
    if (!used) return used.error();
    return std::optional{TableUse{*used, **limit}};
  }

 private:
  struct Place {
    KeptFile most;
    KeptFile used;
  };
  static constexpr std::size_t none = 2;

  std::size_t find(const HostFiles& files) {
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i].most.read(files)) return i;
    return none;
  }

  std::optional<std::size_t> place_;
  std::array<Place, none> places_{
      Place{KeptFile{"/sys/fs/cgroup/pids.max"}, KeptFile{"/sys/fs/cgroup/pids.current"}},
      Place{KeptFile{"/sys/fs/cgroup/pids/pids.max"},
            KeptFile{"/sys/fs/cgroup/pids/pids.current"}}};
};

class LimitsCheck final : public Check {
 public:
  LimitsCheck(std::string /*name*/, LimitsParams /*params*/) {}

  std::span<const SampleSpec> specs() const override { return limits_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto& files = context.files;
    const auto handle_text = handles_.read(files);
    if (!handle_text) co_return handle_text.error();
    const auto file_handles = parse_file_handles(*handle_text);
    if (!file_handles) co_return file_handles.error();
    const auto tasks = read_tasks(files);
    if (!tasks) co_return tasks.error();
    const auto connections = read_connections(files);
    if (!connections) co_return connections.error();

    handle_use_ = *file_handles;
    connection_use_ = *connections;
    Samples samples;
    samples.reserve(limits_specs().size());
    put(samples, handles_ratio, handle_use_.ratio());
    put(samples, handles, static_cast<double>(handle_use_.used));
    put(samples, pids_ratio, pid_use_.ratio());
    put(samples, pids, static_cast<double>(*tasks));
    if (connection_use_) {
      put(samples, conntrack_ratio, connection_use_->ratio());
      put(samples, conntrack, static_cast<double>(connection_use_->used));
    }
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    add_tables(evidence);
    add_sockets(evidence, context.files);
    auto looking = look_at_processes(context, {});
    const auto rows = co_await std::move(looking);
    add_top_threads(evidence, rows);
    auto counting = count_descriptors(context, rows);
    const auto holders = co_await std::move(counting);
    add_top_descriptors(evidence, holders);
    blame(evidence, rows, holders);
    co_return evidence;
  }

 private:
  Result<std::uint64_t> number(KeptFile& file, const HostFiles& files) {
    const auto text = file.read(files);
    if (!text) return text.error();
    return parse_single_number(file.path(), *text);
  }

  Result<std::uint64_t> read_tasks(const HostFiles& files) {
    const auto text = loadavg_.read(files);
    if (!text) return text.error();
    const auto tasks = parse_task_count(*text);
    if (!tasks) return tasks.error();
    const auto by_id = number(pid_max_, files);
    if (!by_id) return by_id.error();
    const auto by_memory = number(threads_max_, files);
    if (!by_memory) return by_memory.error();
    pid_use_ = {*tasks, std::min(*by_id, *by_memory)};
    pid_limit_ = *by_id <= *by_memory ? "kernel.pid_max" : "kernel.threads-max";
    const auto group = group_.read(files);
    if (!group) return group.error();
    if (*group && (*group)->ratio() > pid_use_.ratio()) {
      pid_use_ = **group;
      pid_limit_ = "the container's limit";
    }
    return *tasks;
  }

  /// Nothing where no connections are tracked: the module is not loaded, or not for us to see.
  Result<std::optional<TableUse>> read_connections(const HostFiles& files) {
    const auto used = number(tracked_, files);
    if (!used && used.error().code == Errc::missing) return std::optional<TableUse>{};
    if (!used) return used.error();
    const auto most = number(tracked_most_, files);
    if (!most) return most.error();
    return std::optional{TableUse{*used, *most}};
  }

  static std::string describe(const TableUse& use) {
    return std::to_string(use.used) + " of " + std::to_string(use.most) + " (" +
           describe_quantity(use.ratio(), Unit::ratio) + ")";
  }

  void add_tables(Evidence& evidence) const {
    add_line(evidence, "File handles: " + describe(handle_use_) + ", limit fs.file-max");
    add_line(evidence, "Processes and threads: " + describe(pid_use_) + ", limit " + pid_limit_);
    if (connection_use_)
      add_line(evidence, "Tracked connections: " + describe(*connection_use_) +
                             ", limit net.netfilter.nf_conntrack_max");
  }

  static void add_sockets(Evidence& evidence, const HostFiles& files) {
    const auto text = files.read("/proc/net/sockstat");
    if (!text) return;
    for (const auto line : split(*text, '\n'))
      if (starts_with(line, "TCP: ")) add_line(evidence, "Sockets, " + clean_utf8(line));
  }

  /// Somebody who holds most of what is nearly used up is a cause worth naming.
  void blame(Evidence& evidence, const std::vector<ProcessRow>& rows,
             const std::vector<DescriptorHolder>& holders) const {
    constexpr double near = 0.8;
    if (pid_use_.ratio() > near) {
      const auto most = std::max_element(
          rows.begin(), rows.end(),
          [](const ProcessRow& a, const ProcessRow& b) { return a.threads < b.threads; });
      if (most != rows.end() && most->threads > pid_use_.used / 2)
        evidence.probable_cause = most->name + " (pid " + std::to_string(most->pid) + ") has " +
                                  std::to_string(most->threads) + " threads";
    }
    if (handle_use_.ratio() > near && !holders.empty() &&
        holders.front().descriptors > handle_use_.used / 2)
      evidence.probable_cause = holders.front().name + " (pid " +
                                std::to_string(holders.front().pid) + ") holds " +
                                std::to_string(holders.front().descriptors) + " descriptors";
  }

  KeptFile handles_{"/proc/sys/fs/file-nr"};
  KeptFile loadavg_{"/proc/loadavg"};
  KeptFile pid_max_{"/proc/sys/kernel/pid_max"};
  KeptFile threads_max_{"/proc/sys/kernel/threads-max"};
  KeptFile tracked_{"/proc/sys/net/netfilter/nf_conntrack_count"};
  KeptFile tracked_most_{"/proc/sys/net/netfilter/nf_conntrack_max"};
  GroupPids group_;
  TableUse handle_use_{};
  TableUse pid_use_{};
  std::string pid_limit_;
  std::optional<TableUse> connection_use_;
};

}  // namespace

CheckType limits_check() {
  return check_type<LimitsParams, LimitsCheck>({
      .name = "limits",
      .summary = "How near the kernel's tables are to full: file handles, process ids, tracked "
                 "connections.",
      .samples = limits_specs(),
      .default_critical = {"handles_used_ratio > 90%", "pids_used_ratio > 90%",
                           "conntrack_used_ratio > 90%"},
      .example = "name: limits\n"
                 "type: limits\n"
                 "every: 30s\n"
                 "warning: [handles_used_ratio > 75%, pids_used_ratio > 75%]\n"
                 "critical: [handles_used_ratio > 90%, pids_used_ratio > 90%, "
                 "conntrack_used_ratio > 90%]\n",
  });
}

}  // namespace tocsin
