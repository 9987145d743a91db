#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/app/engine.hpp"
#include "agent/config/settings.hpp"
#include "agent/policy/alert_machine.hpp"
#include "agent/schedule/scheduler.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::app {

/// One check, as it is watched: its settings, its rules, and what the last look said.
struct Watched {
  config::CheckSetting setting;
  policy::AlertPolicy policy;
  Alert alert{};
  Observation last{};
  Verdict verdict{};
  bool ever_ran{false};
  bool held_back{false};  ///< Fires, but a check it depends on fires too: nobody is told.

  struct News {
    policy::AlertChange change;
    Alert alert;
  };
  std::deque<News> news{};  ///< Changes on their way to the engine, in order.
  bool telling{false};
};

/// From observation to incident: judges each look, advances the check's alert, gathers evidence
/// when it fires, and tells the engine, in order per check.
class Pipeline {
 public:
  Pipeline(Clock& clock, Engine& engine, schedule::Scheduler& scheduler, TaskGroup& tasks,
           std::string host);

  /// Takes over new settings. A check whose fingerprint is unchanged keeps its state; one that is
  /// gone is told to the engine. The first call also adopts the alerts that the store remembers.
  void replace(std::shared_ptr<const config::Settings> settings);
  void observe(const schedule::ScheduledCheck& check, Observation observation);
  /// Called after each look, for those who count.
  void on_look(std::function<void(const Watched&)> listener) { listener_ = std::move(listener); }

  const std::map<std::string, Watched>& checks() const { return checks_; }
  const config::Settings& settings() const { return *settings_; }

 private:
  void tell(Watched& watched, policy::AlertChange change);
  asio::awaitable<void> tell_all(std::string name);
  void tell_one(const Watched& watched, const Watched::News& news, Evidence evidence);
  bool dependency_in_breach(const Watched& watched) const;
  void adopt(Watched& watched);
  static void take_over(Watched& watched, Watched& old);

  Clock& clock_;
  Engine& engine_;
  schedule::Scheduler& scheduler_;
  TaskGroup& tasks_;
  std::string host_;
  std::shared_ptr<const config::Settings> settings_;
  std::map<std::string, Watched> checks_;
  std::function<void(const Watched&)> listener_;
};

}  // namespace tocsin::app
