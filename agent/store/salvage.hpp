#pragma once

#include <string>
#include <vector>

#include "agent/store/rows.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::store {

/// Renames "<path>", its -wal and its -shm to "<path>.corrupt-<time>…" and makes the renaming
/// durable. Returns the new path of the store.
Result<std::string> set_aside(const std::string& path, WallTime now);

/// What could be kept of a damaged store.
struct Salvaged {
  std::size_t alerts{0}, incidents{0}, lines{0}, entries{0}, memories{0};
  std::size_t unreadable{0};        ///< Rows that were found but do not decode.
  std::size_t unsound{0};           ///< Rows that decode, but not to what was written; kept.
  std::size_t tables_cut_short{0};  ///< Tables of which SQLite could not read every page.
  /// "3 alerts, 1 incident, … were kept; 2 rows were lost".
  std::string sentence() const;
};

/// Copies, row by row, what can be read of the damaged store at `path` into `into`: each table from
/// its start until SQLite stumbles, then from its end until it stumbles again. Never throws for
/// what is damaged; throws SQLite::Exception when the writing fails.
Salvaged salvage(const std::string& path, Rows& into);

/// Makes a renaming or creation in the folder of `path` survive a power cut. Errors do not matter
/// here: not every file system can do it.
void sync_folder_of(const std::string& path) noexcept;

}  // namespace tocsin::store
