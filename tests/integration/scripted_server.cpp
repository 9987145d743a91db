#include "tests/integration/scripted_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace tocsin::integration {
namespace {

/// How often a wait looks whether everything is over.
constexpr int glance_milliseconds = 20;

}  // namespace

bool Peer::hear() const {
  std::array<char, 4096> heard{};
  while (!over_) {
    pollfd ready{socket_, POLLIN, 0};
    if (poll(&ready, 1, glance_milliseconds) <= 0) continue;
    return recv(socket_, heard.data(), heard.size(), 0) > 0;
  }
  return false;
}

bool Peer::hear_within(std::chrono::milliseconds limit) const {
  pollfd ready{socket_, POLLIN, 0};
  return poll(&ready, 1, static_cast<int>(limit.count())) > 0 && hear();
}

bool Peer::say(std::string_view text) const {
  while (!text.empty() && !over_) {
    pollfd ready{socket_, POLLOUT, 0};
    if (poll(&ready, 1, glance_milliseconds) <= 0) continue;
    const auto sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return !over_;
}

ScriptedServer::ScriptedServer(Script script) : script_{std::move(script)} {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error{"cannot listen"};
  port_ = ntohs(address.sin_port);
  begin();
}

ScriptedServer::ScriptedServer(Script script, const std::string& unix_socket)
    : script_{std::move(script)} {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 16) != 0)
    throw std::runtime_error{"cannot listen on " + unix_socket};
  begin();
}

void ScriptedServer::begin() {
  thread_ = std::thread{[this] { serve(); }};
}

ScriptedServer::~ScriptedServer() {
  over_ = true;
  thread_.join();
  close(listener_);
}

void ScriptedServer::serve() {
  while (!over_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, glance_milliseconds) <= 0) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    script_(Peer{socket, over_});
    close(socket);
  }
}

}  // namespace tocsin::integration
