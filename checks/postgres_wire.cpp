#include "checks/postgres_wire.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tocsin::checks {
namespace {

constexpr std::size_t piece_bytes = 16u << 10;

ino_t inode_of(int descriptor) {
  struct stat about {};
  return fstat(descriptor, &about) == 0 ? about.st_ino : 0;
}

void close_if_open(int& descriptor) {
  if (descriptor >= 0) close(descriptor);
  descriptor = -1;
}

Error no_descriptor() {
  return {Errc::internal,
          "cannot open a socket: " + std::error_code{errno, std::generic_category()}.message()};
}

}  // namespace

bool PostgresWire::serves(int library_socket) const {
  return server_ >= 0 && library_socket == library_ && inode_of(library_socket) == library_inode_;
}

Result<void> PostgresWire::interpose(int library_socket) {
  withdraw();
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return no_descriptor();
  server_ = fcntl(library_socket, F_DUPFD_CLOEXEC, 0);
  const bool placed = server_ >= 0 && dup3(pair[0], library_socket, O_CLOEXEC) >= 0;
  const auto fault = placed ? Result<void>{} : Result<void>{no_descriptor()};
  close(pair[0]);
  inner_ = pair[1];
  library_ = library_socket;
  library_inode_ = inode_of(library_socket);
  if (!placed) withdraw();
  return fault;
}

void PostgresWire::withdraw() {
  if (server_ >= 0) pass_on();
  close_if_open(inner_);
  close_if_open(server_);
  library_ = -1;
  unsent_.clear();
}

void PostgresWire::feed() {
  std::array<char, piece_bytes> piece{};
  const auto came = recv(server_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (came > 0) {
    received_ += static_cast<std::uint64_t>(came);
    // The pair has room for many pieces; libpq has stopped reading when it has not.
    if (send(inner_, piece.data(), static_cast<std::size_t>(came), MSG_NOSIGNAL) == came) return;
  } else if (came < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return;
  }
  shutdown(inner_, SHUT_WR);
}

bool PostgresWire::pass_on() {
  std::array<char, piece_bytes> piece{};
  for (;;) {
    if (unsent_.empty()) {
      const auto said = recv(inner_, piece.data(), piece.size(), MSG_DONTWAIT);
      if (said <= 0) return true;
      unsent_.assign(piece.data(), static_cast<std::size_t>(said));
    }
    const auto sent = send(server_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (sent < 0) return true;  // The reading tells of its end.
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

std::size_t PostgresWire::unread() const {
  int bytes = 0;
  if (library_ < 0 || ioctl(library_, FIONREAD, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

}  // namespace tocsin::checks
