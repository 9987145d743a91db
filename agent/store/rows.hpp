#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/commit.hpp"

namespace tocsin::store {

/// What was read cannot be what was written. Thrown inside this room only.
struct Corrupt : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The store's own state: under which boot its steady times were written, and what ties them to
/// wall time.
struct Anchor {
  std::string boot_id{};
  Now at{};           ///< Of the last commit.
  bool clean{false};  ///< The last shutdown was orderly.
  std::uint64_t last_entry_id{0};
};

/// FNV-1a, 64 bits (RFC draft-eastlake-fnv), as SQLite's signed number: finds a flipped bit, not a
/// forger.
std::int64_t checksum(std::string_view body);

// Reading and checking one row's body, shared with salvage. Throws Corrupt when it does not decode;
// `sound` turns false when the checksum is wrong although it does.
Alert alert_of(const std::string& body, std::int64_t sum, bool& sound);
Incident incident_of(const std::string& body, std::int64_t sum, bool& sound);
TimelineLine line_of(const std::string& body, std::int64_t sum, bool& sound);
OutboxEntry entry_of(const std::string& body, std::int64_t sum, bool& sound);
CheckMemory memory_of(const std::string& body, std::int64_t sum, bool& sound);

/// Every statement of one open store, prepared once and kept. All of it throws SQLite::Exception;
/// reading throws Corrupt as well. Transactions are the caller's.
class Rows {
 public:
  explicit Rows(SQLite::Database& database);

  std::optional<Anchor> anchor();
  void put(const Anchor& anchor);

  void put(const Alert& alert);
  void put(const Incident& incident);
  void put(const OutboxEntry& entry);
  /// One without a text is removed.
  void put(const CheckMemory& memory);
  void append(const TimelineLine& line);
  /// At its own sequence number, unless that is taken.
  void restore(const TimelineLine& line);
  void remove_alert(const std::string& name);
  void remove_entry(EntryId id);
  void write(const Commit& commit);

  Snapshot snapshot(WallTime now);
  std::vector<TimelineLine> timeline(const IncidentId& id, std::size_t most);
  std::vector<Incident> incidents(std::size_t most);
  std::vector<std::string> channel_names();
  /// Forgets a few; true when there may be more.
  bool forget_closed_before(WallTime before);

 private:
  SQLite::Statement get_anchor_, put_anchor_;
  SQLite::Statement put_alert_, put_incident_, put_entry_, append_line_, restore_line_;
  SQLite::Statement remove_alert_, remove_entry_;
  SQLite::Statement get_timeline_, get_incidents_;
  /// Prepared when first needed: a store of the first version that is only looked at has no such
  /// table.
  std::optional<SQLite::Statement> put_memory_, remove_memory_;
  SQLite::Database& database_;
};

}  // namespace tocsin::store
