#include "checks/disk.hpp"

#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "checks/file_systems.hpp"
#include "checks/one_or_more.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

struct DiskParams {
  OneOrMore mount{};
  std::vector<std::string> exclude{};
  Duration trend_window{1h};
  static constexpr auto fields() {
    return std::tuple{
        field("mount", &DiskParams::mount,
              "Mount point, or a list of them, as /proc/self/mountinfo writes them. Without it, "
              "every file system that holds data."),
        field("exclude", &DiskParams::exclude,
              "Mount points to leave out when 'mount' is not given."),
        field("trend_window", &DiskParams::trend_window,
              "How far back hours_to_full looks, at least 30m; it is there once half of that has "
              "been seen."),
    };
  }
};

enum : std::uint16_t {
  used_ratio,
  free_ratio,
  free_space,
  inodes_used_ratio,
  hours_to_full,
  read_only,
  stuck,
  mounted
};

const std::vector<SampleSpec>& disk_specs() {
  static const std::vector<SampleSpec> specs{
      {"used_ratio", Unit::ratio, "Share of the space that is used, as df counts.", "mount"},
      {"free_ratio", Unit::ratio, "Share of the space that unprivileged users can still have.",
       "mount"},
      {"free_bytes", Unit::bytes, "Space that unprivileged users can still have.", "mount"},
      {"inodes_used_ratio", Unit::ratio,
       "Share of the inodes that is used; not for file systems that make them on demand.", "mount"},
      {"hours_to_full", Unit::hours,
       "Hours until nothing is free at the present speed; only while free space shrinks.", "mount"},
      {"read_only", Unit::none,
       "1 when the file system is read-only although it was writable or /etc/fstab wants it so.",
       "mount"},
      {"stuck", Unit::none,
       "1 when the kernel does not answer for the file system; it has no other numbers then.",
       "mount"},
      {"mounted", Unit::none, "For each 'mount' that is configured: 1 when it is mounted.",
       "mount"},
  };
  return specs;
}

struct Question {
  FileSystem* system{};
  std::optional<Result<FileSystemUsage>> answer{};
};

/// All at once, so that one that hangs costs the others nothing.
asio::awaitable<void> ask(HelperProcess& helper, SteadyTime deadline,
                          std::span<Question> questions) {
  if (questions.size() == 1) {
    auto& question = questions.front();
    auto call = helper.file_system_usage(question.system->mount.point, deadline);
    auto answer = co_await std::move(call);
    question.answer.emplace(std::move(answer));
    co_return;
  }
  using namespace asio::experimental::awaitable_operators;
  const auto half = questions.size() / 2;
  auto both = ask(helper, deadline, questions.first(half)) &&
              ask(helper, deadline, questions.subspan(half));
  co_await std::move(both);
}

/// Leaves time to hand in the others' numbers when one does not answer by its deadline.
SteadyTime earlier_than(SteadyTime deadline, SteadyTime now) {
  constexpr Duration reserve = 200ms;
  return deadline - std::min(reserve, std::max(Duration{0}, (deadline - now) / 4));
}

class DiskCheck final : public Check {
 public:
  DiskCheck(std::string /*name*/, DiskParams params)
      : configured_{!params.mount.values.empty()},
        systems_{std::move(params.mount.values), std::move(params.exclude), params.trend_window} {}

  std::span<const SampleSpec> specs() const override { return disk_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto refreshed = systems_.refresh(context.files);
    if (!refreshed) co_return refreshed.error();
    questions_.clear();
    for (auto& system : systems_.all()) {
      if (context.gap) system.trend.clear();
      if (system.mounted) questions_.push_back({&system, {}});
    }
    if (!questions_.empty()) {
      const auto until = earlier_than(context.deadline, context.clock.steady());
      auto asking = ask(context.helper, until, std::span{questions_});
      co_await std::move(asking);
    }
    Samples samples;
    samples.reserve(systems_.all().size() * disk_specs().size());
    if (configured_)
      for (const auto& system : systems_.all())
        put(samples, mounted, system.mounted ? 1 : 0, system.label);
    for (auto& question : questions_) {
      const auto taken = take(samples, *question.system, *question.answer, context.clock.steady());
      if (!taken) co_return taken.error();
    }
    if (samples.empty())
      co_return Error{Errc::missing,
                      "no file system that holds data is mounted here: name one in 'mount'"};
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& /*context*/) override {
    std::vector<const FileSystem*> order;
    for (const auto& system : systems_.all()) order.push_back(&system);
    std::stable_sort(order.begin(), order.end(), [](const FileSystem* a, const FileSystem* b) {
      return concern(*a) > concern(*b);
    });
    Evidence evidence;
    for (const auto* system : order) add_line(evidence, describe_file_system(*system));
    if (!order.empty()) evidence.probable_cause = cause(*order.front());
    co_return evidence;
  }

 private:
  /// Higher for what somebody should look at first.
  static double concern(const FileSystem& system) {
    if (!system.mounted) return 5;
    if (system.stuck) return 4;
    if (system.turned_read_only()) return 3;
    const auto share = system.usage ? free_share(*system.usage) : std::nullopt;
    return share ? 1 - *share : 0;
  }

  static std::string cause(const FileSystem& system) {
    const auto& point = system.label;
    if (!system.mounted) return point + " is not mounted";
    if (system.stuck)
      return "the kernel does not answer for " + point + " (" + system.mount.type + " from " +
             system.mount.source + "): its server or device may be gone";
    if (system.turned_read_only())
      return point + " turned read-only: the kernel log should hold errors of " +
             system.mount.source;
    const auto speed = system.trend.bytes_per_second();
    if (!speed || *speed >= 0 || !system.usage ||
        !system.trend.hours_to_full(checks::free_bytes(*system.usage)))
      return "";
    return point + " fills up by " + describe_quantity(-*speed * 3600, Unit::bytes) + " an hour";
  }

  /// Turns one answer into samples. Only what says nothing about the file system at all is an
  /// error.
  Result<void> take(Samples& samples, FileSystem& system, const Result<FileSystemUsage>& answer,
                    SteadyTime now) const {
    const auto& point = system.label;
    if (!answer) {
      const auto code = answer.error().code;
      system.stuck = code == Errc::stuck || code == Errc::timed_out;
      if (system.stuck) {
        put(samples, stuck, 1, point);
        return {};
      }
      // Unmounted between the mount table and the call: the next run will not see it.
      if (code == Errc::missing && !configured_) return {};
      return Error{code,
                   "file system " + point + " could not be measured: " + answer.error().detail};
    }
    system.stuck = false;
    const auto free = free_share(*answer);
    if (!free) return {};  // no blocks at all: an interface of the kernel that we do not know
    if (system.usage && system.usage->blocks != answer->blocks) system.trend.clear();
    system.usage = *answer;
    const auto free_now = checks::free_bytes(*answer);
    system.trend.add(now, free_now);
    put(samples, used_ratio, 1 - *free, point);
    put(samples, free_ratio, *free, point);
    put(samples, free_space, static_cast<double>(free_now), point);
    if (const auto inodes = inodes_used_share(*answer))
      put(samples, inodes_used_ratio, *inodes, point);
    if (const auto hours = system.trend.hours_to_full(free_now))
      put(samples, hours_to_full, *hours, point);
    put(samples, read_only, system.turned_read_only() ? 1 : 0, point);
    put(samples, stuck, 0, point);
    return {};
  }

  bool configured_;
  FileSystems systems_;
  std::vector<Question> questions_;
};

void judge(const DiskParams& params, const Node& map, Decoding& decoding) {
  const auto absolute = [&](std::string_view key, const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      if (!path.empty() && path.front() == '/' && (path.size() == 1 || path.back() != '/'))
        continue;
      const auto* node = map.find(key);
      auto inner = decoding.at(key);
      inner.complain(
          node != nullptr ? *node : map,
          "expected an absolute mount point without a final '/', such as /data, found '" + path +
              "'");
    }
  };
  absolute("mount", params.mount.values);
  absolute("exclude", params.exclude);
  if (params.mount.values.size() > limits::file_systems_per_check) {
    auto inner = decoding.at("mount");
    inner.complain(*map.find("mount"), "more than " +
                                           std::to_string(limits::file_systems_per_check) +
                                           " mount points: share them out among several checks");
  }
  if (params.trend_window < 30min || params.trend_window > 24h * 7) {
    const auto* node = map.find("trend_window");
    auto inner = decoding.at("trend_window");
    inner.complain(node != nullptr ? *node : map, "expected a duration from 30m to 7d");
  }
}

}  // namespace

CheckType disk_check() {
  return check_type<DiskParams, DiskCheck>(
      {
          .name = "disk",
          .summary = "Space, inodes, time to full, read-only and stuck file systems, per mount.",
          .samples = disk_specs(),
          .default_critical = {"free_ratio < 3%", "hours_to_full < 4", "read_only > 0", "stuck > 0",
                               "mounted < 1"},
          .example = "name: disk\n"
                     "type: disk\n"
                     "every: 30s\n"
                     "mount: [/, /var/lib/postgresql]\n"
                     "warning: free_ratio < 10%\n"
                     "critical: [free_ratio < 3%, hours_to_full < 4, inodes_used_ratio > 95%, "
                     "read_only > 0, stuck > 0, mounted < 1]\n",
      },
      judge);
}

}  // namespace tocsin
