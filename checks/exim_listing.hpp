#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checks/postqueue_line.hpp"

namespace tocsin::checks {

/// Reads the listing of `exim -bp`, line by line: a message is one line with its age, size, id and
/// sender, then one indented line for each recipient, then an empty line.
class EximListing {
 public:
  /// `now` (seconds since the epoch) turns ages into arrival times: they are whole minutes, after
  /// 90 of them whole hours, after 72 hours whole days (Exim specification, "-bp").
  explicit EximListing(std::int64_t now) : now_{now} {}

  /// Takes one line without its end; true when `message()` has become whole by it. Lines of
  /// neither kind are passed over and counted.
  bool take(std::string_view line);
  /// The end of the listing: true when there is a last message.
  bool finish();
  const WaitingMessage& message() const { return done_; }
  std::uint64_t strange_lines() const { return strange_; }

 private:
  std::int64_t now_;
  WaitingMessage current_{};
  WaitingMessage done_{};
  bool inside_{false};
  std::uint64_t strange_{0};
};

}  // namespace tocsin::checks
