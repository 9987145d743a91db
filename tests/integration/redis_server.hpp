#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real Redis on 127.0.0.1, its files in a folder of its own. It saves only when it is told to.
class RedisServer {
 public:
  static bool installed();
  static constexpr const char* package = "redis-server";

  /// `options` are added to its command line: {"--requirepass", "x"}.
  explicit RedisServer(std::vector<std::string> options = {});

  /// Starts it and waits until it takes connections; a second time on the same port and folder.
  void start();
  /// Starts it on the port it had and does not wait: it may have much to load first.
  void launch();
  void kill() { server_->kill(); }
  Program& program() { return *server_; }
  /// What redis-cli prints for a command, without its line end. `password` may be "".
  std::string ask(std::vector<std::string> words, const std::string& password = "") const;
  /// The command line of redis-cli for this server.
  std::vector<std::string> client() const;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::string socket() const { return folder_ / "redis.sock"; }
  const Folder& folder() const { return folder_; }

 private:
  std::vector<std::string> command() const;

  Folder folder_;
  std::vector<std::string> options_;
  int port_{0};
  std::unique_ptr<Program> server_{};
};

}  // namespace tocsin::integration
