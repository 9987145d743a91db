#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace tocsin::integration {

/// The other end of one connection, for a script to speak to. Everything ends when the server goes.
class Peer {
 public:
  Peer(int socket, const std::atomic<bool>& over) : socket_{socket}, over_{over} {}

  /// Waits for the other side to say something, which is dropped; false at the connection's end.
  bool hear() const;
  /// The same, waiting at most so long; false as well when nothing came.
  bool hear_within(std::chrono::milliseconds limit) const;
  /// Says all of it; false at the connection's end.
  bool say(std::string_view text) const;
  /// Until the other side goes.
  void wait() const {
    while (hear()) continue;
  }

 private:
  int socket_;
  const std::atomic<bool>& over_;
};

/// A server on a port of 127.0.0.1, or on a unix socket, that does the same with every connection,
/// one after the other.
class ScriptedServer {
 public:
  using Script = std::function<void(const Peer&)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(Script script, const std::string& unix_socket);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  int port() const { return port_; }

 private:
  void serve();
  void begin();

  Script script_;
  int listener_{-1};
  int port_{0};
  std::atomic<bool> over_{false};
  std::thread thread_{};
};

}  // namespace tocsin::integration
