#include "agent/store/sqlite_ledger.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include "agent/store/carry_over.hpp"
#include "agent/store/migrations.hpp"
#include "agent/store/salvage.hpp"

namespace tocsin::store {
namespace {

constexpr int busy_milliseconds = 1000;

/// Small on purpose: the working set is a few pages, and the agent must stay small.
void tune(SQLite::Database& database) {
  database.exec(
      "PRAGMA cache_size = -192; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA "
      "cell_size_check = ON;"
      "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 1048576; PRAGMA wal_autocheckpoint = "
      "400;");
}

/// Faults that say something of the file's content rather than of the disk under it.
bool means_corrupt(const SQLite::Exception& fault) {
  switch (fault.getErrorCode()) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // A table or column that should be there is not.
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_FORMAT:
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
      return true;
    default:  // SQLite's codes are not ours to enumerate.
      return false;
  }
}

std::string advice(const SQLite::Exception& fault) {
  switch (fault.getErrorCode()) {
    case SQLITE_FULL:
      return "free some space";
    case SQLITE_READONLY:
      return "make the file system writable again";
    case SQLITE_CANTOPEN:
      return "check that the folder exists and may be written";
    case SQLITE_BUSY:
      return "another program has it open; end that program";
    default:
      return "check the disk";  // SQLite's codes are not ours to enumerate.
  }
}

bool passes_quick_check(SQLite::Database& database) {
  SQLite::Statement check{database, "PRAGMA quick_check(1)"};
  return check.executeStep() && check.getColumn(0).getString() == "ok";
}

}  // namespace

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> StoreLock::take(const std::string& path) {
  if (fd_ >= 0) return {};
  const auto name = path + ".lock";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return {};
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN)) {
    fd_ = fd;
    return {};
  }
  ::close(fd);
  return Error{
      Errc::refused,
      "the store " + path + " is in use by another agent: stop that one, or set another state_dir"};
}

SqliteLedger::Connection::Connection(const std::string& path, int flags)
    : database{path, flags | SQLite::OPEN_NOMUTEX, busy_milliseconds} {}

SqliteLedger::SqliteLedger(std::string path, std::string boot_id, Now opened)
    : path_{std::move(path)}, boot_id_{std::move(boot_id)}, opened_{opened} {}

SqliteLedger::~SqliteLedger() {
  if (!connection_ || !connection_->rows) return;
  try {
    connection_->database.exec("UPDATE state SET clean = 1 WHERE id = 1");
  } catch (const std::exception&) {  // Then the next start looks closer; that is all.
  }
}

Result<void> SqliteLedger::open_sound(Opened& into) {
  struct stat before {};
  const bool fresh = ::stat(path_.c_str(), &before) != 0 || before.st_size == 0;
  if (fresh && ::access((path_ + "-wal").c_str(), F_OK) == 0) {
    into.warnings.push_back("the store " + path_ +
                            " was empty although it had been written before");
  }
  connection_ = std::make_unique<Connection>(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  auto& database = connection_->database;
  tune(database);
  if (fresh) ::chmod(path_.c_str(), 0640);
  if (auto migrated = migrate(database, migrations(), opened_.wall); !migrated) return migrated;
  if (database.execAndGet("PRAGMA journal_mode").getString() != "wal")
    database.exec("PRAGMA journal_mode = WAL");
  if (fresh) sync_folder_of(path_);
  if (::sqlite3_db_readonly(database.getHandle(), "main") == 1 &&
      ::access(path_.c_str(), W_OK) == 0) {
    throw Corrupt{"its header asks for a format that is not ours"};
  }
  connection_->rows.emplace(database);
  const auto anchor = connection_->rows->anchor();
  const bool orderly = anchor && anchor->clean && !suspect_;
  if (!fresh && !orderly && !passes_quick_check(database))
    throw Corrupt{"its pages do not fit together"};
  into.snapshot = connection_->rows->snapshot(opened_.wall);
  suspect_ = false;
  return {};
}

void SqliteLedger::replace_by_salvage(Opened& into) {
  if (connection_) {
    // What is set aside is evidence: closing must not fold the write-ahead log into it.
    ::sqlite3_db_config(connection_->database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                        nullptr);
  }
  connection_.reset();
  auto aside = set_aside(path_, opened_.wall);
  if (!aside) throw std::runtime_error{aside.error().detail};
  into.set_aside = *aside;
  suspect_ = false;
  connection_ = std::make_unique<Connection>(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  auto& database = connection_->database;
  tune(database);
  ::chmod(path_.c_str(), 0640);
  if (const auto migrated = migrate(database, migrations(), opened_.wall); !migrated) {
    throw std::runtime_error{migrated.error().detail};
  }
  database.exec("PRAGMA journal_mode = WAL");
  sync_folder_of(path_);
  connection_->rows.emplace(database);
  SQLite::Transaction transaction{database};
  const auto kept = salvage(*aside, *connection_->rows);
  transaction.commit();
  into.warnings.push_back(
      fmt::format("the store was corrupt and was set aside as {}; {}", *aside, kept.sentence()));
  into.snapshot = connection_->rows->snapshot(opened_.wall);
}

void SqliteLedger::adopt(Opened& into) {
  const auto anchor = connection_->rows->anchor();
  const bool fresh = !anchor && into.snapshot.alerts.empty() && into.snapshot.incidents.empty() &&
                     into.snapshot.entries.empty();
  adoption_ = fresh ? Commit{} : carry_over(into.snapshot, anchor, boot_id_, opened_);
  last_entry_id_ = std::max(last_entry_id_, into.snapshot.last_entry_id);
}

void SqliteLedger::write_adoption() {
  SQLite::Transaction transaction{connection_->database};
  connection_->rows->write(*adoption_);
  connection_->rows->put(Anchor{boot_id_, opened_, false, last_entry_id_});
  transaction.commit();
  adoption_.reset();
}

Result<void> SqliteLedger::connect(Opened& into) {
  std::string damage;
  try {
    auto opened = open_sound(into);
    if (!opened) {
      connection_.reset();
      return opened;
    }
  } catch (const Corrupt& fault) {
    damage = fault.what();
  } catch (const SQLite::Exception& fault) {
    if (!means_corrupt(fault)) {
      connection_.reset();
      return Error{Errc::unreadable, fmt::format("opening the store {} failed: {}; {}", path_,
                                                 fault.what(), advice(fault))};
    }
    damage = fault.what();
  }
  try {
    if (!damage.empty()) replace_by_salvage(into);
    adopt(into);
  } catch (const std::exception& fault) {
    connection_.reset();
    return Error{Errc::unreadable,
                 fmt::format("the store {} is corrupt ({}) and could not be replaced: {}", path_,
                             damage, fault.what())};
  }
  return guarded("opening", [this] { write_adoption(); });
}

void SqliteLedger::look_without_writing(Opened& into) {
  // The last way needs neither locks nor shared memory, but sees the write-ahead log.
  for (const auto& name :
       {path_, "file:" + path_ + "?mode=ro&vfs=unix-none", "file:" + path_ + "?immutable=1"}) {
    try {
      Connection look{name, SQLite::OPEN_READONLY | SQLite::OPEN_URI};
      tune(look.database);
      if (name.find("unix-none") != std::string::npos)
        look.database.exec("PRAGMA locking_mode = EXCLUSIVE");
      look.rows.emplace(look.database);
      into.snapshot = look.rows->snapshot(opened_.wall);
      carry_over(into.snapshot, look.rows->anchor(), boot_id_, opened_);
      last_entry_id_ = std::max(last_entry_id_, into.snapshot.last_entry_id);
      return;
    } catch (const std::exception&) {
      into.snapshot = {};
    }
  }
  into.warnings.push_back("nothing could be read of the store " + path_ +
                          ": the agent starts without a past");
}

Result<void> SqliteLedger::start(Opened& into) {
  if (auto taken = lock_.take(path_); !taken) return taken;
  const auto connected = connect(into);
  if (connected) return {};
  if (connected.error().code != Errc::unreadable) return connected;
  into.writable = false;
  into.warnings.push_back(connected.error().detail);
  if (!connection_) look_without_writing(into);
  return {};
}

template <class Work>
Result<void> SqliteLedger::guarded(const char* doing, Work work) {
  try {
    work();
    return {};
  } catch (const SQLite::Exception& fault) {
    if (fault.getErrorCode() == SQLITE_CORRUPT || fault.getErrorCode() == SQLITE_NOTADB) {
      suspect_ = true;
      connection_.reset();
    } else if (fault.getExtendedErrorCode() == SQLITE_READONLY_DBMOVED) {
      connection_.reset();
    }
    return Error{Errc::unreadable, fmt::format("{} the store {} failed: {}; {}", doing, path_,
                                               fault.what(), advice(fault))};
  } catch (const std::exception& fault) {
    return Error{Errc::unreadable,
                 fmt::format("{} the store {} failed: {}", doing, path_, fault.what())};
  }
}

bool SqliteLedger::takes_no_writes() {
  return !connection_ || ::sqlite3_db_readonly(connection_->database.getHandle(), "main") == 1;
}

Result<void> SqliteLedger::reconnect() {
  if (auto taken = lock_.take(path_); !taken) return taken;
  connection_.reset();
  Opened again;
  auto connected = connect(again);
  for (auto& warning : again.warnings) warnings_.push_back(std::move(warning));
  return connected;
}

template <class Work>
Result<void> SqliteLedger::guarded_reading(Work work) {
  if (!connection_) return {};  // Nothing could be opened: then nothing is there.
  auto outcome = guarded("reading", work);
  if (outcome || connection_) return outcome;
  // The store turned out to be corrupt: what can be kept of it is read from its successor.
  if (auto again = reconnect(); !again) return again;
  return guarded("reading", work);
}

Result<void> SqliteLedger::ready() {
  if (takes_no_writes()) return reconnect();
  if (adoption_) {
    return guarded("writing", [this] { write_adoption(); });
  }
  return guarded("writing", [this] {
    // Changes something, for SQLite does not write a page that stays as it is, and a full disk is
    // to be seen. A microsecond of the anchor harms nothing.
    connection_->database.exec("UPDATE state SET clean = 0, wall = wall + 1 WHERE id = 1");
  });
}

Result<void> SqliteLedger::commit(const Commit& commit, Now now) {
  if (takes_no_writes()) {
    if (auto again = reconnect(); !again) return again;
  }
  return guarded("writing", [&] {
    if (adoption_) write_adoption();
    auto last = last_entry_id_;
    for (const auto& entry : commit.entries) last = std::max(last, entry.id.value);
    SQLite::Transaction transaction{connection_->database};
    connection_->rows->write(commit);
    connection_->rows->put(Anchor{boot_id_, now, false, last});
    transaction.commit();
    last_entry_id_ = last;
  });
}

Result<std::vector<TimelineLine>> SqliteLedger::timeline(const IncidentId& id, std::size_t most) {
  std::vector<TimelineLine> found;
  auto read = guarded_reading([&] { found = connection_->rows->timeline(id, most); });
  if (!read) return read.error();
  return found;
}

Result<std::vector<Incident>> SqliteLedger::incidents(std::size_t most) {
  std::vector<Incident> found;
  auto read = guarded_reading([&] { found = connection_->rows->incidents(most); });
  if (!read) return read.error();
  return found;
}

Result<std::vector<std::string>> SqliteLedger::channel_names() {
  std::vector<std::string> found;
  auto read = guarded_reading([&] { found = connection_->rows->channel_names(); });
  if (!read) return read.error();
  return found;
}

std::vector<std::string> SqliteLedger::take_warnings() { return std::exchange(warnings_, {}); }

Result<void> SqliteLedger::forget_closed_before(WallTime before) {
  if (!connection_) return Error{Errc::unreadable, "the store " + path_ + " is not open"};
  return guarded("cleaning", [&] {
    SQLite::Transaction transaction{connection_->database};
    connection_->rows->forget_closed_before(before);
    transaction.commit();
  });
}

Result<Ledger::Opened> Ledger::open(const std::string& path, const std::string& boot_id, Now now) {
  auto ledger = std::make_unique<SqliteLedger>(path, boot_id, now);
  Opened opened;
  if (const auto started = ledger->start(opened); !started) return started.error();
  opened.ledger = std::move(ledger);
  return opened;
}

}  // namespace tocsin::store
