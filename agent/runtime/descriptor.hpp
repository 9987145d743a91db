#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "tocsin/base/error.hpp"

namespace tocsin::runtime {

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int raw) noexcept : raw_{raw} {}
  Descriptor(Descriptor&& other) noexcept : raw_{std::exchange(other.raw_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      raw_ = std::exchange(other.raw_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }

  int raw() const noexcept { return raw_; }
  bool open() const noexcept { return raw_ >= 0; }
  int release() noexcept { return std::exchange(raw_, -1); }
  void close() noexcept {
    if (raw_ >= 0) ::close(std::exchange(raw_, -1));
  }

 private:
  int raw_{-1};
};

/// errno as an Error: "reading /proc/stat failed: Permission denied". What is gone (ENOENT,
/// ENOTDIR, ESRCH, ENODEV, ENXIO) is Errc::missing, everything else Errc::unreadable.
Error error_from_errno(int number, const std::string& doing);
/// The system's words for an errno.
std::string errno_words(int number);

}  // namespace tocsin::runtime
