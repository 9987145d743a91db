#include "agent/store/migrations.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "agent/store/rows.hpp"

namespace tocsin::store {
namespace {

/// "tcsn", in the file's header: tells our files from any other SQLite file
/// (sqlite.org/fileformat2.html).
constexpr int application_id = 0x7463'736e;

// `sum` is a check of `body` (see rows.hpp): SQLite itself does not notice a flipped bit in a
// value.
constexpr const char* first_schema = R"(
  CREATE TABLE state(id INTEGER PRIMARY KEY CHECK (id = 1), boot_id TEXT NOT NULL, steady INTEGER NOT NULL,
                     wall INTEGER NOT NULL, clean INTEGER NOT NULL, last_entry_id INTEGER NOT NULL);
  CREATE TABLE alerts(name TEXT PRIMARY KEY, body TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE incidents(id TEXT PRIMARY KEY, state TEXT NOT NULL, opened_at INTEGER NOT NULL, ended_at INTEGER,
                         channel TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE INDEX incidents_by_opening ON incidents(opened_at);
  CREATE TABLE timeline(sequence INTEGER PRIMARY KEY, incident TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE INDEX timeline_by_incident ON timeline(incident, sequence);
  CREATE TABLE outbox(id INTEGER PRIMARY KEY, incident TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER NOT NULL);
)";

constexpr const char* memories_schema = R"(
  CREATE TABLE memories(name TEXT PRIMARY KEY, body TEXT NOT NULL, sum INTEGER NOT NULL);
)";

constexpr Migration all[] = {
    {1, "the first schema", first_schema},
    {2, "what checks keep across restarts", memories_schema},
};

/// Higher versions are not versions but a damaged header.
constexpr int versions_to_come = 1000;

bool has_our_tables(SQLite::Database& database) {
  return database.tableExists("migrations") && database.tableExists("outbox");
}

int pragma_number(SQLite::Database& database, const char* query) {
  return database.execAndGet(query).getInt();
}

void apply(SQLite::Database& database, const Migration& step, WallTime now) {
  SQLite::Transaction transaction{database};
  database.exec(
      "CREATE TABLE IF NOT EXISTS migrations(version INTEGER PRIMARY KEY, at TEXT NOT NULL, what "
      "TEXT NOT NULL)");
  database.exec(step.sql);
  SQLite::Statement note{database, "INSERT INTO migrations(version, at, what) VALUES (?, ?, ?)"};
  note.bind(1, step.to);
  note.bind(2, to_rfc3339(now));
  note.bind(3, step.what);
  note.exec();
  database.exec("PRAGMA application_id = " + std::to_string(application_id));
  database.exec("PRAGMA user_version = " + std::to_string(step.to));
  transaction.commit();
}

}  // namespace

std::span<const Migration> migrations() { return all; }

Result<void> migrate(SQLite::Database& database, std::span<const Migration> steps, WallTime now) {
  const int version = pragma_number(database, "PRAGMA user_version");
  const int newest = steps.empty() ? 0 : steps.back().to;
  if (version > versions_to_come) throw Corrupt{"its header has no version that can be"};
  if (version > newest) {
    return Error{Errc::unsupported,
                 "the store " + database.getFilename() + " has schema version " +
                     std::to_string(version) + ", and this program knows versions up to " +
                     std::to_string(newest) +
                     ": run the newer tocsin that wrote it, or move the file away"};
  }
  const int owner = pragma_number(database, "PRAGMA application_id");
  const int tables = pragma_number(database, "SELECT count(*) FROM sqlite_schema");
  if (tables > 0 && owner != application_id) {
    if (has_our_tables(database)) throw Corrupt{"its header is not that of a store"};
    return Error{Errc::unsupported,
                 "the file " + database.getFilename() +
                     " is a database of another program: move it away, or set another state_dir"};
  }
  for (const auto& step : steps) {
    if (step.to > version) apply(database, step, now);
  }
  return {};
}

}  // namespace tocsin::store
