#include "agent/app/core.hpp"

#include <set>

#include "agent/app/policies.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::app {

namespace {
using namespace std::chrono_literals;
constexpr Duration housekeeping_every = 1h;
}  // namespace

Core::Core(World world, store::Ledger::Opened store, std::vector<std::string> channel_names,
           std::shared_ptr<const config::Settings> settings, EngineObserver observer)
    : world_{std::move(world)},
      tasks_{world_.executor},
      writers_{world_.executor},
      settings_{std::move(settings)},
      journal_{world_.executor, world_.clock, world_.blocking, std::move(store.ledger)},
      memories_{std::move(store.snapshot.memories),
                [this](CheckMemory kept) { journal_.append({.memories = {std::move(kept)}}, {}); }},
      engine_{world_.executor,
              world_.clock,
              journal_,
              std::move(store.snapshot),
              std::move(channel_names),
              world_.seed,
              engine_settings(*settings_, world_.host),
              std::move(observer)},
      scheduler_{world_.executor, world_.clock, world_.surroundings, memories_,
                 [this](const schedule::ScheduledCheck& check, Observation observation) {
                   pipeline_.observe(check, std::move(observation));
                 }},
      pipeline_{world_.clock, engine_, scheduler_, tasks_, world_.host},
      notifiers_{make_notifiers(*settings_, retired_keys_, world_.network, world_.clock)},
      dispatcher_{world_.clock, engine_, tasks_} {
  dispatcher_.replace(notifiers_);
}

Core::~Core() = default;

void Core::start() {
  writers_.spawn("journal", journal_.run());
  pipeline_.replace(settings_);
  forget_removed_checks();
  tasks_.spawn("scheduler", scheduler_.run());
  tasks_.spawn("incident timers", engine_.run_timers());
  tasks_.spawn("dispatcher", dispatcher_.run());
  tasks_.spawn("housekeeping", housekeeping());
}

void Core::reload(std::shared_ptr<const config::Settings> settings) {
  retire_keys(*settings_, *settings, retired_keys_);
  settings_ = std::move(settings);
  notifiers_ = make_notifiers(*settings_, retired_keys_, world_.network, world_.clock);
  dispatcher_.replace(notifiers_);
  engine_.configure(engine_settings(*settings_, world_.host));
  pipeline_.replace(settings_);
  forget_removed_checks();
}

void Core::forget_removed_checks() {
  std::set<std::string> names;
  for (const auto& check : settings_->checks) names.insert(check.name);
  memories_.retain(names);
}

Result<void> Core::beat(const std::string& name, const Beat& beat) {
  const auto& checks = pipeline_.checks();
  const auto at = checks.find(name);
  if (at != checks.end() &&
      at->second.setting.check->receive(beat, memories_.of(name), world_.clock.now())) {
    scheduler_.nudge(name);
    return {};
  }
  if (at != checks.end())
    return Error{Errc::missing, "the check \"" + name + "\" is of type " + at->second.setting.type +
                                    ": only a heartbeat takes beats"};
  std::vector<std::string_view> heartbeats;
  for (const auto& [known, watched] : checks)
    if (watched.setting.type == "heartbeat") heartbeats.push_back(known);
  const auto shown = cut_characters(clean_utf8(name), limits::check_name_characters);
  const auto near = nearest(shown, heartbeats);
  return Error{Errc::missing, "no heartbeat \"" + shown + "\"" +
                                  (near.empty() ? std::string{}
                                                : "; did you mean \"" + std::string{near} + "\"?")};
}

asio::awaitable<void> Core::housekeeping() {
  for (;;) {
    co_await world_.clock.sleep_until(world_.clock.steady() + housekeeping_every);
    engine_.forget_old();
    const auto horizon =
        world_.clock.wall() -
        std::chrono::duration_cast<std::chrono::microseconds>(limits::closed_incident_retention);
    // A store that cannot be written says so itself; what is not forgotten now is forgotten the
    // next time.
    [[maybe_unused]] const auto forgotten = co_await journal_.forget_closed_before(horizon);
  }
}

asio::awaitable<std::vector<std::string>> Core::stop(Duration grace) {
  const auto deadline = world_.clock.steady() + grace;
  auto late = co_await tasks_.stop(world_.clock, deadline);
  co_await journal_.flush();
  const auto writers = co_await writers_.stop(world_.clock, deadline);
  late.insert(late.end(), writers.begin(), writers.end());
  co_return late;
}

}  // namespace tocsin::app
