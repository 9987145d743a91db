#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real MariaDB server on 127.0.0.1 and on a unix socket, its files in a folder of its own. The
/// user root is let in by the socket without a password.
class Mariadb {
 public:
  static bool installed();
  static constexpr const char* package = "mariadb-server";

  /// An empty server with a binary log, not started yet. `settings` are words for its command line:
  /// {"--max-connections=10"}.
  explicit Mariadb(int server_id, std::vector<std::string> settings = {});
  ~Mariadb();

  void start();  ///< Again on the same port, after the first time. Throws with its log.
  void kill() { server_->kill(); }  ///< SIGKILL, as the kernel would.

  /// Runs statements as root and gives what they print; throws when they fail.
  std::string sql(const std::string& statements) const;
  /// A client of its own that runs statements as root and stays until they end.
  std::unique_ptr<Program> client(const std::string& statements) const;
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::string socket() const { return folder_ / "s"; }
  const Folder& folder() const { return folder_; }

 private:
  std::vector<std::string> client_command(const std::string& statements) const;

  Folder folder_;
  int server_id_;
  std::vector<std::string> settings_;
  int port_{0};
  std::unique_ptr<Program> server_{};
};

}  // namespace tocsin::integration
