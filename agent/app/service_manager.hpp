#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::app {

/// The service manager's side of the process, as sd_notify(3) describes the protocol: one datagram
/// of lines to $NOTIFY_SOCKET. Written here because libsystemd would map more memory than the rest
/// of the agent's state. Does nothing when the agent was not started by a service manager.
class ServiceManager {
 public:
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready(std::string_view status);
  /// RELOADING=1 with the monotonic time that Type=notify-reload asks for; older versions ignore
  /// it.
  void reloading(SteadyTime now);
  void stopping();
  void status(std::string_view sentence);
  void alive();
  /// How often alive() is wanted: half of WATCHDOG_USEC when WATCHDOG_PID is ours; nothing when
  /// there is no watchdog.
  std::optional<Duration> watchdog_period() const;

 private:
  void send(const std::string& lines);
  int socket_{-1};
  std::string address_{};
};

}  // namespace tocsin::app
