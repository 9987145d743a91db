#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real PostgreSQL server on 127.0.0.1 and on a unix socket, its files in a folder of its own. It
/// does not run as root, so it runs as the package's user then. Who comes by the socket is let in;
/// over TCP the password counts.
class Postgres {
 public:
  static bool installed();
  static constexpr const char* package = "postgresql";

  /// An empty server with a superuser "postgres", not started yet. `settings` are words for its
  /// command line: {"max_connections=8"}.
  explicit Postgres(std::vector<std::string> settings = {});
  /// A copy of a running server, set up to follow it under this name.
  Postgres(const Postgres& primary, const std::string& name);
  ~Postgres();

  void start();  ///< Again on the same port, after the first time. Throws with its log.
  void stop();   ///< Orderly, without waiting for its clients.
  /// SIGKILL, as the kernel would; its children notice and go.
  void kill();

  /// Runs statements as the superuser and gives what they print; throws when they fail.
  std::string sql(const std::string& statements) const;
  /// A client of its own that runs statements as `role`, under the name of `program`.
  std::unique_ptr<Program> client(const std::string& role, const std::string& program,
                                  const std::vector<std::string>& statements) const;
  std::string dsn(const std::string& role, const std::string& password) const;
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

 private:
  /// The command as the user that may run a server.
  static std::vector<std::string> as_owner(std::vector<std::string> command);
  void settle_folder() const;

  Folder folder_;
  std::vector<std::string> settings_;
  int port_{0};
  std::unique_ptr<Program> server_{};
};

}  // namespace tocsin::integration
