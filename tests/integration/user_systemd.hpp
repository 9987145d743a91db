#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real systemd, as it runs for a user, with a journald, beside the host's own if there are any:
/// in a control group and a mount namespace of its own where /run is another, and with no units but
/// those written here. It ends with the object, and with the test if that is killed, and all that
/// it started with it.
class UserSystemd {
 public:
  static constexpr const char* packages = "systemd dbus-daemon";
  /// Why it cannot run here; empty when it can.
  static std::string hindrance();

  UserSystemd();
  ~UserSystemd();
  UserSystemd(const UserSystemd&) = delete;
  UserSystemd& operator=(const UserSystemd&) = delete;

  /// Throws with its output when it does not come up.
  void start();
  /// Writes a unit's file; reload() has it read.
  void write(const std::string& unit, std::string_view text) const;
  void reload() const { control({"daemon-reload"}); }
  /// systemctl --user WORDS…
  Answer control(std::vector<std::string> words) const;
  /// A property, as `systemctl show` has it.
  std::string show(const std::string& unit, const std::string& property) const;
  pid_t main_pid(const std::string& unit) const;
  /// The words that run a command where that systemd and its journal are.
  std::vector<std::string> inside() const;
  /// Starts a dbus-daemon, and waits until systemd is on its bus.
  void start_bus();

  std::string own_socket() const { return folder_ / "run/systemd/private"; }
  std::string bus_socket() const { return folder_ / "run/bus"; }
  const Folder& folder() const { return folder_; }

 private:
  std::string script() const;

  Folder folder_;
  std::string group_;
  int alive_{-1};  ///< While it is open the group may live.
  std::unique_ptr<Program> program_{};
};

}  // namespace tocsin::integration
