#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/app/engine.hpp"
#include "agent/store/journal.hpp"
#include "tocsin/async/clock.hpp"

namespace tocsin::app {

/// The agent's alerts about itself: a store that was corrupt or cannot be written, a reload that
/// was refused, an escalation that is overdue. They take the same path as any check's.
class SelfWatch {
 public:
  /// Its alerts are named "tocsin/PART".
  static constexpr std::string_view prefix = "tocsin/";

  /// Adopts what an earlier run of the agent raised.
  SelfWatch(Engine& engine, store::Journal& journal, Clock& clock, std::string host);

  /// Raises (or keeps) the alert about one part of the agent: "store", "config".
  void raise(const std::string& part, const std::string& why);
  void clear(const std::string& part);
  /// Looks at the parts that change by themselves, until cancelled.
  asio::awaitable<void> run();

 private:
  /// An escalation step that should have been taken, and was not: timers are not being served.
  void look_for_overdue();

  Engine& engine_;
  store::Journal& journal_;
  Clock& clock_;
  std::string host_;
  std::map<std::string, Alert> raised_;
};

}  // namespace tocsin::app
