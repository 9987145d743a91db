#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real nginx with one worker on 127.0.0.1, its files in a folder of its own. Answers "ok" to any
/// request.
class Nginx {
 public:
  static bool installed();
  static constexpr const char* package = "nginx";

  Nginx();
  ~Nginx();

  void start();
  /// SIGKILL to the master alone, as the kernel would: its workers go on without it.
  void kill_master();
  /// Ends the workers that a killed master left behind, as a service manager would.
  void clear_up();
  const std::string& pidfile() const { return pidfile_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

 private:
  Folder folder_;
  std::string pidfile_;
  int port_{0};
  std::unique_ptr<Program> master_{};
  std::vector<pid_t> workers_{};
};

}  // namespace tocsin::integration
