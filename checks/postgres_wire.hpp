#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// Stands between libpq and its server. libpq makes room for whatever length a message claims and
/// reads for as long as there is something to read, so that a server decides how much memory and
/// time it costs. Here it is given one end of a socket pair in place of its socket, and gets
/// through it a piece at a time. Bytes are passed on as they are, TLS or not.
class PostgresWire {
 public:
  PostgresWire() = default;
  ~PostgresWire() { withdraw(); }
  PostgresWire(const PostgresWire&) = delete;
  PostgresWire& operator=(const PostgresWire&) = delete;

  /// Whether this descriptor of libpq's is the one that was put in its place.
  bool serves(int library_socket) const;
  /// Takes the place of a connected socket; the number that libpq knows stays the same.
  /// Errc::internal when there is no descriptor left.
  Result<void> interpose(int library_socket);
  /// Passes on what libpq said at last, and closes the connection to the server.
  void withdraw();

  int server() const { return server_; }  ///< To wait on; -1 when nothing is interposed.
  /// Hands libpq the next piece that has come from the server, or the end of it.
  void feed();
  /// Passes on what libpq has said; true when nothing is left.
  bool pass_on();
  std::size_t unread() const;  ///< What libpq was handed and has not read.
  std::uint64_t received() const { return received_; }

 private:
  int library_{-1};  ///< libpq's own number; it closes it.
  ino_t library_inode_{};
  int inner_{-1};
  int server_{-1};
  std::string unsent_{};
  std::uint64_t received_{0};
};

}  // namespace tocsin::checks
