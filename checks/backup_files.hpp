#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::checks {

/// What makes a matching file a backup.
struct BackupRules {
  std::vector<std::string> ignore{};  ///< Wildcards for the last part of a path.
  Duration settle{};                  ///< How long it must have been left alone.
};

/// A matching file that is not a backup, and why: "it is empty".
struct NoBackup {
  FoundFile file{};
  std::string why{};
  bool being_written{};
};

/// The matching files, told apart. Newest first, both.
struct ToldApart {
  std::vector<FoundFile> backups{};
  std::vector<NoBackup> others{};
};

/// When the file was written, as far as can be told: a time in the future was set by a program, and
/// then the inode's own counts.
WallTime written_at(const FoundFile& file, WallTime now);

/// Complete backups seen so far, newest first: those that a folder still holds and those that were
/// rewritten or deleted since. Bounded: one more than the median needs.
class BackupHistory {
 public:
  static constexpr std::size_t sizes_compared = 10;  ///< Of the backups before the newest.

  /// Whether this very file, unchanged, was complete before.
  bool holds(const FoundFile& file) const;
  void add(const std::vector<FoundFile>& backups);
  /// The last complete state of the file of this path.
  const FoundFile* last_of(std::string_view path) const;
  /// The median size of the last ten older than `newest`; nothing when there is none.
  std::optional<double> median_before(const FoundFile& newest) const;
  /// As lines of text, and back; lines that are not understood are left out.
  std::string to_text() const;
  void read(std::string_view text);

 private:
  void insert(const FoundFile& file);
  std::vector<FoundFile> files_;
};

/// Partial files (named so), empty ones and those still being written are no backups.
ToldApart tell_apart(std::vector<FoundFile> found, const BackupRules& rules,
                     const BackupHistory& history, WallTime now);

}  // namespace tocsin::checks
