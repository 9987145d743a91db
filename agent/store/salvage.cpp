#include "agent/store/salvage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace tocsin::store {
namespace {

constexpr int names_most = 100;
constexpr std::size_t tables = 5;

std::string stamp(WallTime now) {
  std::string text;
  for (const char c : to_rfc3339(std::chrono::floor<std::chrono::seconds>(now))) {
    if (c == '.') break;
    if (c != '-' && c != ':') text += c;
  }
  if (text.ends_with('Z')) text.pop_back();
  return text + "Z";
}

std::string reason() { return std::error_code{errno, std::generic_category()}.message(); }

/// Opened so that looking changes as little as can be: the file is evidence.
std::unique_ptr<SQLite::Database> open_damaged(const std::string& path) {
  for (const auto& name : {path, "file:" + path + "?immutable=1"}) {
    try {
      auto found =
          std::make_unique<SQLite::Database>(name, SQLite::OPEN_READONLY | SQLite::OPEN_URI);
      found->exec("PRAGMA cell_size_check = ON");
      found->execAndGet("SELECT count(*) FROM sqlite_schema");
      return found;
    } catch (const SQLite::Exception&) {  // The next way, or none.
    }
  }
  return nullptr;
}

/// One row: its rowid, body and checksum.
using Keep = std::function<void(std::int64_t, const std::string&, std::int64_t)>;

/// Walks from one end until the end of the table, `stop`, or damage. True when nothing was in the
/// way.
bool walk(SQLite::Database& from, const std::string& query, std::int64_t& last, std::int64_t stop,
          const Keep& keep) {
  std::unique_ptr<SQLite::Statement> rows;
  try {
    rows = std::make_unique<SQLite::Statement>(from, query);
  } catch (const SQLite::Exception&) {
    return false;
  }
  for (;;) {
    std::string body;
    std::int64_t id = 0, sum = 0;
    try {
      if (!rows->executeStep()) return true;
      id = rows->getColumn(0).getInt64();
      body = rows->getColumn(1).getString();
      sum = rows->getColumn(2).getInt64();
    } catch (const SQLite::Exception&) {
      return false;
    }
    if (id == stop) return false;  // Both ends have met: the damage lies in between.
    last = id;
    keep(id, body, sum);
  }
}

void both_ends(SQLite::Database& from, const std::string& table, Salvaged& result,
               const Keep& keep) {
  const auto query = "SELECT rowid, body, sum FROM " + table + " NOT INDEXED ORDER BY rowid";
  constexpr auto nowhere = std::numeric_limits<std::int64_t>::min();
  std::int64_t last = nowhere;
  if (walk(from, query, last, nowhere, keep)) return;
  ++result.tables_cut_short;
  std::int64_t other = nowhere;
  walk(from, query + " DESC", other, last, keep);
}

template <class T, class Put>
void copy(SQLite::Database& from, const std::string& table, Salvaged& result, std::size_t& count,
          T (*read)(const std::string&, std::int64_t, bool&), const Put& put) {
  both_ends(from, table, result,
            [&](std::int64_t rowid, const std::string& body, std::int64_t sum) {
              bool sound = true;
              std::optional<T> value;
              try {
                value = read(body, sum, sound);
              } catch (const Corrupt&) {
                ++result.unreadable;
                return;
              }
              if (!put(*value, rowid)) {
                ++result.unreadable;
                return;
              }
              ++count;
              if (!sound) ++result.unsound;
            });
}

void copy_anchor(SQLite::Database& from, Rows& into) {
  std::optional<Anchor> found;
  try {
    found = Rows{from}.anchor();
  } catch (const SQLite::Exception&) {  // Every timer will be due at once: see carry_over.
  }
  if (found) into.put(*found);
}

void copy_memories(SQLite::Database& from, Salvaged& result, Rows& into) {
  // A store of the first version has none.
  try {
    if (!from.tableExists("memories")) return;
  } catch (const SQLite::Exception&) {  // Then they cannot be read either, and that is counted.
  }
  copy(from, "memories", result, result.memories, memory_of,
       [&](const CheckMemory& memory, std::int64_t) {
         if (memory.check.empty()) return false;
         into.put(memory);
         return true;
       });
}

}  // namespace

Result<std::string> set_aside(const std::string& path, WallTime now) {
  const auto wanted = path + ".corrupt-" + stamp(now);
  auto chosen = wanted;
  for (int i = 2; ::access(chosen.c_str(), F_OK) == 0 && i < names_most; ++i)
    chosen = fmt::format("{}-{}", wanted, i);
  // The side files first: without its -wal a store loses its newest commits, but a -wal without its
  // store loses none.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::rename((path + suffix).c_str(), (chosen + suffix).c_str()) == 0 || errno == ENOENT)
      continue;
    return Error{Errc::unreadable, fmt::format("the corrupt store {}{} could not be renamed: {}",
                                               path, suffix, reason())};
  }
  sync_folder_of(path);
  return chosen;
}

Salvaged salvage(const std::string& path, Rows& into) {
  Salvaged result;
  const auto from = open_damaged(path);
  if (!from) {
    result.tables_cut_short = tables;
    return result;
  }
  copy_anchor(*from, into);
  copy(*from, "alerts", result, result.alerts, alert_of, [&](const Alert& alert, std::int64_t) {
    if (alert.check.empty()) return false;
    into.put(alert);
    return true;
  });
  copy(*from, "incidents", result, result.incidents, incident_of,
       [&](const Incident& incident, std::int64_t) {
         if (incident.id.value.empty()) return false;
         into.put(incident);
         return true;
       });
  copy(*from, "timeline", result, result.lines, line_of,
       [&](TimelineLine line, std::int64_t rowid) {
         if (line.incident.value.empty()) return false;
         line.sequence = static_cast<std::uint64_t>(rowid);
         into.restore(line);
         return true;
       });
  copy(*from, "outbox", result, result.entries, entry_of,
       [&](const OutboxEntry& entry, std::int64_t rowid) {
         if (entry.incident.value.empty() || entry.id.value != static_cast<std::uint64_t>(rowid))
           return false;
         into.put(entry);
         return true;
       });
  copy_memories(*from, result, into);
  return result;
}

std::string Salvaged::sentence() const {
  auto text =
      fmt::format("{} alerts, {} incidents, {} timeline lines and {} outbox entries were kept",
                  alerts, incidents, lines, entries);
  if (unreadable > 0) text += fmt::format("; {} rows could not be read and are lost", unreadable);
  if (unsound > 0) text += fmt::format("; {} of those kept are not as they were written", unsound);
  if (tables_cut_short > 0)
    text += fmt::format("; {} of {} tables could not be read whole", tables_cut_short, tables);
  return text;
}

void sync_folder_of(const std::string& path) noexcept {
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? std::string{"."} : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace tocsin::store
