#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/check/host.hpp"

namespace tocsin::checks {

/// Where a log has been read to. The file is known by device and inode, so that it is found again
/// under another name.
struct LogPosition {
  std::uint64_t device{};
  std::uint64_t inode{};
  std::uint64_t offset{};
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

/// Reads a log line by line as it grows, through every way in which logs are rotated:
/// - renamed and begun anew: the old file is read to its end first, also when that happened while
/// nobody was reading, as long as it lies
///   beside the new one and is not compressed yet;
/// - copied and truncated: begins again at the start;
/// - removed: goes on with the next file of that name.
/// Without a position to go on from it begins at the end: what is old is no news.
class LogFollower {
 public:
  explicit LogFollower(std::string path) : path_{std::move(path)} {}

  /// Goes on from there at the next read. Call before the first.
  void resume(const LogPosition& position) { resumed_ = position; }
  std::optional<LogPosition> position() const;

  using TakeLine = std::function<void(std::string_view line)>;
  struct Reading {
    std::uint64_t bytes{0};    ///< Read.
    std::uint64_t skipped{0};  ///< Passed over, because more came than can be read.
    bool more{false};          ///< The bound was reached before the end.
    bool missing{false};       ///< There is no file of that name; the one that was is held.
    bool lost{false};          ///< The file that was read before is gone, with what it held since.
  };
  /// Hands on the whole lines that are new, without their ends, each cut at limits::log_line_bytes,
  /// until about `bytes_most` are read. A last line without its end waits for it. Errc::missing
  /// when there is no such file and none is held.
  Result<Reading> read(const HostFiles& files, std::uint64_t bytes_most, const TakeLine& take);

 private:
  Result<void> begin(const HostFiles& files, Reading& reading);
  bool find_renamed(const HostFiles& files);
  Result<bool> drain(std::uint64_t bytes_most, const TakeLine& take, Reading& reading, bool ended);
  /// What to go on with at the end of the file: nothing, this one from its start, or the next.
  Result<bool> turn_over(const HostFiles& files, const TakeLine& take, Reading& reading);
  void skip_what_is_too_much(Reading& reading);
  void adopt(std::unique_ptr<GrowingFile> file, const FileIdentity& identity, std::uint64_t offset);

  std::string path_;
  std::optional<LogPosition> resumed_{};
  std::unique_ptr<GrowingFile> file_{};
  FileIdentity identity_{};
  std::uint64_t offset_{0};
  bool in_mid_line_{
      false};  ///< The rest of a line of which the start was passed over, or too long.
};

}  // namespace tocsin::checks
