#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/app/check_memories.hpp"
#include "agent/app/engine.hpp"
#include "agent/app/pipeline.hpp"
#include "agent/app/receivers.hpp"
#include "agent/config/settings.hpp"
#include "agent/notify/dispatcher.hpp"
#include "agent/schedule/scheduler.hpp"
#include "agent/store/journal.hpp"
#include "tocsin/async/task_group.hpp"
#include "tocsin/notify/notifier.hpp"

namespace tocsin::app {

/// Everything of the outside that the core is given: the real things in the agent, fakes in the
/// simulation.
struct World {
  asio::any_io_executor executor;
  Clock& clock;
  BlockingThread& blocking;
  Network& network;                     ///< For receivers.
  schedule::Surroundings surroundings;  ///< For checks.
  std::string host;
  std::uint64_t seed{0};  ///< For jitter and ids.
};

/// The agent without its skin: scheduler → pipeline → engine → journal → dispatcher → notifiers,
/// wired. The agent adds HTTP, metrics and signals around it; the simulation drives it on a manual
/// clock and crashes it.
class Core {
 public:
  Core(World world, store::Ledger::Opened store, std::vector<std::string> channel_names,
       std::shared_ptr<const config::Settings> settings, EngineObserver observer);
  ~Core();

  /// Spawns the tasks. Call once.
  void start();
  /// Takes over a configuration that was found good.
  void reload(std::shared_ptr<const config::Settings> settings);
  /// Hands a job's beat to the heartbeat of that name, which looks at once; it is kept once the
  /// journal is flushed. Errc::missing when nobody waits for such, with the nearest name.
  Result<void> beat(const std::string& name, const Beat& beat);
  /// Ends the tasks in order and writes what is queued, within the grace. Returns the names of
  /// stragglers.
  asio::awaitable<std::vector<std::string>> stop(Duration grace);

  Engine& engine() { return engine_; }
  Pipeline& pipeline() { return pipeline_; }
  store::Journal& journal() { return journal_; }
  schedule::Scheduler& scheduler() { return scheduler_; }
  TaskGroup& tasks() { return tasks_; }
  /// The receivers that are configured.
  const notify::Dispatcher::Notifiers& notifiers() const { return notifiers_; }
  const std::string& host() const { return world_.host; }

 private:
  asio::awaitable<void> housekeeping();
  void forget_removed_checks();

  World world_;
  TaskGroup tasks_;
  TaskGroup writers_;  ///< The journal: ends last, so that what the others decided is written.
  std::shared_ptr<const config::Settings> settings_;
  store::Journal journal_;
  CheckMemories memories_;
  Engine engine_;
  schedule::Scheduler scheduler_;
  Pipeline pipeline_;
  RetiredKeys retired_keys_;
  notify::Dispatcher::Notifiers notifiers_;
  notify::Dispatcher dispatcher_;
};

}  // namespace tocsin::app
