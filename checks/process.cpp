#include "checks/process.hpp"

#include <algorithm>

#include "checks/process_finder.hpp"
#include "checks/top_processes.hpp"
#include "checks/watched_processes.hpp"
#include "checks/words.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

// Ticks are 10 ms: over less than this, a share of cpu time is mostly rounding.
constexpr Duration cpu_interval_least = 500ms;

struct ProcessParams {
  ProcessMatch match{};
  std::int64_t count{1};
  static constexpr auto fields() {
    return std::tuple{
        required_field("match", &ProcessParams::match,
                       "Which processes: {name, cmdline, pidfile, cgroup, user}, at least one of "
                       "them; all that are given must hold. Where workers outlive their killed "
                       "parent, name what tells the parent: its user or its pidfile."),
        field("count", &ProcessParams::count, "How many there must be at least for 'up' to be 1."),
    };
  }
};

enum : std::uint16_t { up, count, uptime, restarts, cpu, rss, fds, threads };

const std::vector<SampleSpec>& process_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when as many processes match as must, else 0; zombies do not count."},
      {"count", Unit::none,
       "Matching processes. An end is seen at once, one more of them within a minute."},
      {"uptime_seconds", Unit::seconds, "How long the one that has run longest has."},
      {"restarts", Unit::none,
       "How often, in the last ten minutes, one had to be started because too few or the oldest of "
       "them was gone."},
      {"cpu_ratio", Unit::ratio,
       "Processor time of all of them since the last run; 1 is one processor kept busy."},
      {"rss_bytes", Unit::bytes, "Memory they hold (resident set), shared pages counted for each."},
      {"fds_ratio", Unit::ratio,
       "The largest share of its limit of open files that one of them uses; looked at once a "
       "minute, where we may."},
      {"threads", Unit::none, "Threads of all of them."},
  };
  return specs;
}

class ProcessCheck final : public Check {
 public:
  ProcessCheck(std::string name, ProcessParams params)
      : name_{std::move(name)},
        wanted_{static_cast<int>(params.count)},
        finder_{std::move(params.match)},
        known_{[this] { on_exit(); }} {
    restarts_.reserve(limits::restarts_counted);
  }

  std::span<const SampleSpec> specs() const override { return process_specs(); }

  Task<Samples> run(CheckContext& context) override {
    // What `nudge` refers to outlives the check; the context does not.
    nudge_ = &context.nudge;
    const auto now = context.clock.steady();
    const bool told = std::exchange(told_, false);
    const int before = known_.count();
    known_.look();
    if (known_.count() < before) ended_at_ = now;
    const bool fewer = known_.count() < before || known_.count() < wanted_;
    if (told || fewer || !searched_at_ || now - *searched_at_ >= limits::process_scan_every) {
      const auto searched = search(context, now);
      if (!searched) co_return searched.error();
    }
    // Not while somebody waits to hear of a death.
    if (!told && (!fds_at_ || now - *fds_at_ >= limits::process_scan_every)) {
      fds_ = known_.open_files_share(context.files);
      fds_at_ = now;
    }
    co_return samples(context, now);
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    // Memory only: a scan would hold up the page that somebody is waiting for.
    Evidence evidence;
    const auto now = context.clock.steady();
    const auto of_wanted =
        std::to_string(known_.count()) + " of at least " + std::to_string(wanted_);
    add_line(evidence, name_ + ": " + of_wanted + " running");
    if (last_pid_ != 0)
      add_line(evidence, "last seen as pid " + std::to_string(last_pid_) + ", up " +
                             describe(last_uptime_) + ", holding " +
                             describe_quantity(last_rss_, Unit::bytes) + " in all");
    if (ended_at_ && !known_.last_end().empty()) {
      add_line(evidence, known_.last_end() + ", noticed " + describe(now - *ended_at_) + " ago");
      if (known_.count() < wanted_) evidence.probable_cause = name_ + ": " + known_.last_end();
    }
    if (!restarts_.empty())
      add_line(evidence, std::to_string(restarts_.size()) + " restarts in the last " +
                             describe(limits::restart_window) + ", the last " +
                             describe(now - restarts_.back()) + " ago");
    if (!ever_up_) add_line(evidence, "never seen running since tocsin started to watch");
    co_return evidence;
  }

 private:
  void on_exit() {
    told_ = true;
    if (nudge_ != nullptr) (*nudge_)();
  }

  Result<void> search(CheckContext& context, SteadyTime now) {
    const auto pids = finder_.find(context.files, now);
    if (!pids) return pids.error();
    const int short_of = wanted_ - known_.count();
    const int fresh = known_.replace(*pids, context.files, context.processes);
    searched_at_ = now;
    first_ended_ = known_.take_first_ended() || first_ended_;
    if (fresh > 0) {
      if (ever_up_) count_restarts(std::max(first_ended_ ? 1 : 0, std::min(short_of, fresh)), now);
      first_ended_ = false;
    }
    if (known_.count() >= wanted_) ever_up_ = true;
    learn_age(context.files, now);
    return {};
  }

  void count_restarts(int times, SteadyTime now) {
    for (; times > 0; --times) {
      if (restarts_.size() >= limits::restarts_counted) restarts_.erase(restarts_.begin());
      restarts_.push_back(now);
    }
  }

  /// When the oldest of them was started, on our own clock: from then on its age needs no reading.
  void learn_age(const HostFiles& files, SteadyTime now) {
    const auto start = known_.first_start_ticks();
    if (start == first_start_) return;
    first_start_ = start;
    started_at_.reset();
    const auto ticks = files.clock_ticks();
    if (!start || ticks == 0) return;
    const auto text = files.read("/proc/uptime");
    if (!text) return;
    const auto host_uptime = Words{*text}.real();
    if (!host_uptime) return;
    const std::chrono::duration<double> age{
        std::max(0.0, *host_uptime - static_cast<double>(*start) / static_cast<double>(ticks))};
    started_at_ = now - std::chrono::duration_cast<Duration>(age);
  }

  /// Nothing until there is an interval to speak of.
  std::optional<double> cpu_share(const CheckContext& context, SteadyTime now) {
    if (context.gap) cpu_at_.reset();
    if (cpu_at_ && now - *cpu_at_ < cpu_interval_least) return cpu_;
    const auto ticks = static_cast<double>(known_.take_cpu_ticks());
    const auto a_second = static_cast<double>(context.files.clock_ticks());
    cpu_.reset();
    if (cpu_at_ && a_second > 0) {
      const std::chrono::duration<double> passed = now - *cpu_at_;
      cpu_ = ticks / a_second / passed.count();
    }
    cpu_at_ = now;
    return cpu_;
  }

  Samples samples(const CheckContext& context, SteadyTime now) {
    std::erase_if(restarts_, [&](SteadyTime at) { return now - at >= limits::restart_window; });
    Samples samples;
    samples.reserve(process_specs().size());
    const int matching = known_.count();
    put(samples, up, matching >= wanted_ ? 1 : 0);
    put(samples, count, matching);
    put(samples, restarts, static_cast<double>(restarts_.size()));
    if (matching == 0) {
      cpu_at_.reset();
      return samples;
    }
    learn_age(context.files, now);
    if (started_at_) {
      last_uptime_ = now - *started_at_;
      put(samples, uptime, std::chrono::duration<double>{last_uptime_}.count());
    }
    if (const auto share = cpu_share(context, now)) put(samples, cpu, *share);
    last_rss_ = static_cast<double>(known_.rss_pages() * context.files.page_bytes());
    last_pid_ = known_.first_pid().value_or(0);
    put(samples, rss, last_rss_);
    if (fds_) put(samples, fds, *fds_);
    put(samples, threads, static_cast<double>(known_.threads()));
    return samples;
  }

  std::string name_;
  int wanted_;
  ProcessFinder finder_;
  WatchedProcesses known_;
  const std::function<void()>* nudge_{nullptr};
  bool told_{false};  ///< The kernel said that one of them ended.
  bool ever_up_{false};
  bool first_ended_{false};
  std::optional<SteadyTime> searched_at_;
  std::optional<SteadyTime> ended_at_;
  std::vector<SteadyTime> restarts_;  ///< Of the last ten minutes, oldest first.

  std::optional<std::uint64_t> first_start_;
  std::optional<SteadyTime> started_at_;
  std::optional<SteadyTime> cpu_at_;
  std::optional<double> cpu_;
  std::optional<SteadyTime> fds_at_;
  std::optional<double> fds_;

  // For evidence, which must not have to look.
  int last_pid_{0};
  Duration last_uptime_{};
  double last_rss_{0};
};

void judge(const ProcessParams& params, const Node& map, Decoding& decoding) {
  const auto* match = map.find("match");
  auto at_match = decoding.at("match");
  if (params.match.empty())
    at_match.complain(match != nullptr ? *match : map,
                      "expected at least one of name, cmdline, pidfile, cgroup and user");
  const auto absolute = [&](std::string_view key, const std::string& path) {
    if (path.empty() || path.front() == '/') return;
    const auto* node = match != nullptr ? match->find(key) : nullptr;
    auto inner = at_match.at(key);
    inner.complain(node != nullptr ? *node : map,
                   "expected an absolute path, found '" + path + "'");
  };
  absolute("pidfile", params.match.pidfile);
  absolute("cgroup", params.match.cgroup);
  if (params.count < 1 || params.count > 1'000'000) {
    const auto* node = map.find("count");
    auto inner = decoding.at("count");
    inner.complain(node != nullptr ? *node : map, "expected a whole number from 1 to 1000000");
  }
}

}  // namespace

CheckType process_check() {
  return check_type<ProcessParams, ProcessCheck>(
      {
          .name = "process",
          .summary = "Whether enough processes of a description run, known within a millisecond of "
                     "a death, and how they fare.",
          .samples = process_specs(),
          .default_critical = {"up < 1 for 5s", "restarts >= 5"},
          .example = "name: nginx\n"
                     "type: process\n"
                     "match: {name: nginx, user: root}\n"
                     "warning: fds_ratio > 80%\n"
                     "critical: [up < 1 for 5s, restarts >= 5]\n",
      },
      judge);
}

}  // namespace tocsin
