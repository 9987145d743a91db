#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real supervisord in the foreground, its files in a folder of its own: on a unix socket there,
/// and on a port of 127.0.0.1 that asks for a user name and password.
class Supervisord {
 public:
  static bool installed();
  static constexpr const char* package = "supervisor";
  static constexpr const char* user = "ops";
  static constexpr const char* password = "correct-horse-battery";

  /// `programs` are the [program:…] sections. A program must be `sleep` in the end, so that what a
  /// killed supervisord leaves behind is known again.
  explicit Supervisord(std::string programs) : programs_{std::move(programs)} {}
  ~Supervisord();

  void start();
  /// SIGTERM: it stops its programs and ends.
  void stop();
  /// SIGKILL to it alone: its programs go on without it.
  void kill();
  /// Ends the programs that a killed supervisord left behind.
  void clear_up();
  /// supervisorctl WORDS…
  Answer control(std::vector<std::string> words) const;
  /// Whether supervisorctl shows a program in this state.
  bool is(const std::string& program, const std::string& state) const;
  pid_t pid_of(const std::string& program) const;

  std::string unix_socket() const { return folder_ / "s.sock"; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const Folder& folder() const { return folder_; }
  Program& program() { return *program_; }

 private:
  std::string configuration() const;

  Folder folder_;
  std::string programs_;
  int port_{0};
  std::unique_ptr<Program> program_{};
  std::vector<pid_t> orphans_{};
};

}  // namespace tocsin::integration
