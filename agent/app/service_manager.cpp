#include "agent/app/service_manager.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin::app {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

ServiceManager::ServiceManager() : address_{environment("NOTIFY_SOCKET")} {
  if (address_.empty() || address_.size() >= sizeof(sockaddr_un{}.sun_path)) return;
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::send(const std::string& lines) {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // An abstract socket.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // A lost notification is the service manager's to notice: there is nothing to do about it here.
  [[maybe_unused]] const auto sent = sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL,
                                            reinterpret_cast<const sockaddr*>(&to), length);
}

void ServiceManager::ready(std::string_view status) {
  send("READY=1\nSTATUS=" + std::string{status} + "\n");
}

void ServiceManager::reloading(SteadyTime now) {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\n");
}

void ServiceManager::stopping() { send("STOPPING=1\n"); }

void ServiceManager::status(std::string_view sentence) {
  send("STATUS=" + std::string{sentence} + "\n");
}

void ServiceManager::alive() { send("WATCHDOG=1\n"); }

std::optional<Duration> ServiceManager::watchdog_period() const {
  const auto period = environment("WATCHDOG_USEC");
  const auto owner = environment("WATCHDOG_PID");
  if (socket_ < 0 || period.empty() || (!owner.empty() && owner != std::to_string(getpid())))
    return std::nullopt;
  long long microseconds{0};
  const auto [end, fault] =
      std::from_chars(period.data(), period.data() + period.size(), microseconds);
  if (fault != std::errc{} || end != period.data() + period.size() || microseconds <= 0)
    return std::nullopt;
  return Duration{std::chrono::microseconds{microseconds / 2}};
}

}  // namespace tocsin::app
