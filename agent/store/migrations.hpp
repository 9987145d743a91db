#pragma once

#include <span>
#include <string>

#include <SQLiteCpp/Database.h>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::store {

/// One step of the schema: what brings a store of version `to - 1` to version `to`.
struct Migration {
  int to;
  const char* what;  ///< For the migrations table, so that a store tells its own history.
  const char* sql;
};

/// All steps, in order; the last one's version is this program's.
std::span<const Migration> migrations();

/// Brings the store to the last step's version, each step in its own transaction: a crash in
/// between leaves a store of some version, never half of one. Errc::unsupported when the store is
/// newer than the last step, or belongs to another program. Throws SQLite::Exception when a
/// statement fails.
Result<void> migrate(SQLite::Database& database, std::span<const Migration> steps, WallTime now);

}  // namespace tocsin::store
