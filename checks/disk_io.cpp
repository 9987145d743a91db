#include "checks/disk_io.hpp"

#include <algorithm>
#include <map>

#include "checks/diskstats.hpp"
#include "checks/kept_file.hpp"
#include "checks/one_or_more.hpp"
#include "checks/top_processes.hpp"
#include "checks/wildcard.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

// How long the first run looks, having nothing to compare with.
constexpr Duration first_look = 100ms;

struct DiskIoParams {
  OneOrMore devices{};
  static constexpr auto fields() {
    return std::tuple{field(
        "devices", &DiskIoParams::devices,
        "Names as in /proc/diskstats, such as nvme0n1, dm-* or sd?; partitions too, when they "
        "match. Without it, every whole device but loop, ram, zram, optical and floppy ones.")};
  }
};

enum : std::uint16_t { await, utilisation, queue_depth, read_bytes, write_bytes, reads, writes };

const std::vector<SampleSpec>& disk_io_specs() {
  static const std::vector<SampleSpec> specs{
      {"await_seconds", Unit::seconds,
       "Mean time that a request took, waiting included. For a device that completes nothing "
       "while requests wait, how long that has been so; 0 when there was nothing to do.",
       "device"},
      {"utilisation_ratio", Unit::ratio,
       "Share of the time with at least one request in flight. Devices that serve many at once "
       "can do more at 100%.",
       "device"},
      {"queue_depth", Unit::none, "Requests in flight, on average.", "device"},
      {"read_bytes_per_second", Unit::bytes_per_second, "Read since the last run.", "device"},
      {"write_bytes_per_second", Unit::bytes_per_second, "Written since the last run.", "device"},
      {"reads_per_second", Unit::per_second, "Read requests completed since the last run.",
       "device"},
      {"writes_per_second", Unit::per_second, "Write requests completed since the last run.",
       "device"},
  };
  return specs;
}

bool is_pseudo_device(std::string_view name) {
  for (const std::string_view kind : {"loop", "ram", "zram", "sr", "fd"}) {
    if (name.substr(0, kind.size()) != kind) continue;
    if (name.find_first_not_of("0123456789", kind.size()) == std::string_view::npos) return true;
  }
  return false;
}

/// What is kept of a device from run to run.
struct Device {
  std::string name;
  DiskCounters counters{};
  DiskWork work{};
  SteadyTime completed_at{};  ///< When a request was last seen to have been completed.
  bool seen{true};
};

class DiskIoCheck final : public Check {
 public:
  DiskIoCheck(std::string /*name*/, DiskIoParams params)
      : patterns_{std::move(params.devices.values)} {}

  std::span<const SampleSpec> specs() const override { return disk_io_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (context.gap) devices_.clear();
    Samples samples;
    auto looked = look(context, samples);
    if (!looked) co_return looked.error();
    if (samples.empty() && !devices_.empty()) {
      auto pause = context.clock.sleep_until(context.clock.steady() + first_look);
      co_await std::move(pause);
      looked = look(context, samples);
      if (!looked) co_return looked.error();
    }
    if (devices_.empty())
      co_return Error{Errc::missing, patterns_.empty()
                                         ? "this host has no block device: name one in 'devices'"
                                         : "no device of 'devices' is in /proc/diskstats"};
    if (samples.empty())
      co_return Error{Errc::malformed, "the counters of /proc/diskstats do not go on"};
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    add_devices(evidence);
    auto looking = look_at_processes(context, {.rates = true, .storage = true});
    const auto rows = co_await std::move(looking);
    add_top_storage(evidence, rows);
    add_blocked(evidence, rows, context.files);
    blame(evidence, rows);
    co_return evidence;
  }

 private:
  bool wanted(std::string_view name) const {
    if (patterns_.empty()) return !is_pseudo_device(name) && is_whole(name);
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const std::string& pattern) { return matches_wildcard(pattern, name); });
  }
  bool is_whole(std::string_view name) const {
    return whole_.empty() ? !names_a_partition(name)
                          : std::find(whole_.begin(), whole_.end(), name) != whole_.end();
  }

  /// Reads the counters once and adds the samples of each device that was seen before.
  Result<void> look(CheckContext& context, Samples& samples) {
    const auto text = diskstats_.read(context.files);
    if (!text) return text.error();
    const auto disks = parse_disk_counters(*text);
    if (!disks) return disks.error();
    const auto now = context.clock.steady();
    if (disks->size() != disks_seen_) {  // Devices came or went: some may be partitions.
      whole_ = context.files.list("/sys/block").value_or({});
      disks_seen_ = disks->size();
    }
    for (auto& device : devices_) device.seen = false;
    const std::chrono::duration<double> passed = now - looked_at_;
    for (const auto& counters : *disks) {
      if (!wanted(counters.name)) continue;
      const auto device = std::find_if(devices_.begin(), devices_.end(), [&](const Device& other) {
        return other.name == counters.name;
      });
      if (device != devices_.end()) {
        take(samples, *device, counters, passed.count(), now);
      } else if (devices_.size() < limits::devices_per_check) {
        devices_.push_back({std::string{counters.name}, counters, {}, now});
      } else {
        return Error{Errc::too_large, "this host has more than " +
                                          std::to_string(limits::devices_per_check) +
                                          " block devices: share them out among checks by "
                                          "'devices'"};
      }
    }
    std::erase_if(devices_, [](const Device& device) { return !device.seen; });
    looked_at_ = now;
    return {};
  }

  static void take(Samples& samples, Device& device, const DiskCounters& counters, double seconds,
                   SteadyTime now) {
    device.seen = true;
    auto work = work_between(device.counters, counters, seconds);
    device.counters = counters;
    device.counters.name = {};  // It points into a text that will change.
    if (!work) return;
    if (work->completed || counters.in_flight == 0) {
      device.completed_at = now;
    } else {
      // Nothing comes back: the counters of time stand still until something does.
      const std::chrono::duration<double> waited = now - device.completed_at;
      work->await_seconds = waited.count();
      work->queue_depth = std::max(work->queue_depth, static_cast<double>(counters.in_flight));
    }
    device.work = *work;
    const auto& name = device.name;
    put(samples, await, work->await_seconds, name);
    put(samples, utilisation, work->utilisation_ratio, name);
    put(samples, queue_depth, work->queue_depth, name);
    put(samples, read_bytes, work->read_bytes_per_second, name);
    put(samples, write_bytes, work->write_bytes_per_second, name);
    put(samples, reads, work->reads_per_second, name);
    put(samples, writes, work->writes_per_second, name);
  }

  /// The slowest first, as iostat would print them.
  void add_devices(Evidence& evidence) const {
    constexpr std::size_t shown = 4;
    std::vector<const Device*> order;
    for (const auto& device : devices_) order.push_back(&device);
    std::stable_sort(order.begin(), order.end(), [](const Device* a, const Device* b) {
      return a->work.await_seconds > b->work.await_seconds;
    });
    for (std::size_t i = 0; i < std::min(shown, order.size()); ++i) {
      const auto& work = order[i]->work;
      add_line(
          evidence,
          order[i]->name + ": " + describe_quantity(work.await_seconds, Unit::seconds) +
              " a request, busy " + describe_quantity(work.utilisation_ratio, Unit::ratio) + ", " +
              describe_number(work.queue_depth) + " in flight, reads " +
              describe_quantity(work.read_bytes_per_second, Unit::bytes_per_second) + ", writes " +
              describe_quantity(work.write_bytes_per_second, Unit::bytes_per_second) +
              (work.completed || order[i]->counters.in_flight == 0 ? "" : ": completes nothing"));
    }
  }

  /// A device that answers nobody, or a process that does most of the io, is a cause worth naming.
  void blame(Evidence& evidence, const std::vector<ProcessRow>& rows) const {
    for (const auto& device : devices_) {
      if (device.work.completed || device.counters.in_flight == 0 || device.work.await_seconds < 1)
        continue;
      evidence.probable_cause = device.name + " has completed nothing for " +
                                describe_quantity(device.work.await_seconds, Unit::seconds) +
                                ": the device or the path to it may be failing";
      return;
    }
    double all = 0;
    const ProcessRow* most = nullptr;
    for (const auto& row : rows) {
      all += row.storage_per_second;
      if (most == nullptr || row.storage_per_second > most->storage_per_second) most = &row;
    }
    if (most == nullptr || all <= 0 || most->storage_per_second < all * 0.6) return;
    evidence.probable_cause = most->name + " (pid " + std::to_string(most->pid) + ") does " +
                              describe_quantity(most->storage_per_second, Unit::bytes_per_second) +
                              " of the " + describe_quantity(all, Unit::bytes_per_second) +
                              " that processes read and write";
  }

  std::vector<std::string> patterns_;
  KeptFile diskstats_{"/proc/diskstats"};
  std::size_t disks_seen_{0};
  std::vector<std::string> whole_;  ///< Whole devices, from /sys/block; empty where there is none.
  std::vector<Device> devices_;
  SteadyTime looked_at_{};
};

void judge(const DiskIoParams& params, const Node& map, Decoding& decoding) {
  for (const auto& pattern : params.devices.values) {
    if (!pattern.empty() && pattern.find('/') == std::string::npos) continue;
    auto inner = decoding.at("devices");
    inner.complain(*map.find("devices"),
                   "expected a device's name as in /proc/diskstats, such as sda or nvme*, found '" +
                       pattern + "'");
  }
}

}  // namespace

CheckType disk_io_check() {
  return check_type<DiskIoParams, DiskIoCheck>(
      {
          .name = "disk_io",
          .summary = "How long requests to block devices take, how busy the devices are, and what "
                     "they read and write, per device.",
          .samples = disk_io_specs(),
          .example = "name: disk-io\n"
                     "type: disk_io\n"
                     "devices: [nvme*, \"sd?\"]\n"
                     "warning: await_seconds > 50ms and utilisation_ratio > 90% for 5m\n"
                     "critical: await_seconds > 500ms for 2m\n",
      },
      judge);
}

}  // namespace tocsin
