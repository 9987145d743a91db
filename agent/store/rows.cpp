#include "agent/store/rows.hpp"

#include <algorithm>
#include <utility>

#include "tocsin/json/json.hpp"

namespace tocsin::store {
namespace {

using namespace std::chrono_literals;

/// How much of the past is kept in memory for "third time in 7 days".
constexpr auto history = std::chrono::hours{24 * 7};
constexpr int history_incidents = 1000;
/// What one call of retention forgets: bounded, so that it never delays a page.
constexpr int forgotten_at_once = 16;

std::int64_t number(WallTime at) { return at.time_since_epoch().count(); }
std::int64_t number(SteadyTime at) { return at.time_since_epoch().count(); }

/// A statement in use: whatever happens, it is ready for the next use and holds no text of ours.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_{statement} {}
  ~Use() {
    statement_.tryReset();
    try {
      statement_.clearBindings();
    } catch (const SQLite::Exception&) {  // Nothing was bound.
    }
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  template <class... Value>
  void bind(const Value&... value) {
    int at = 0;
    (bind_one(++at, value), ...);
  }

 private:
  void bind_one(int at, const std::string& text) { statement_.bindNoCopy(at, text); }
  void bind_one(int at, const std::optional<std::int64_t>& whole) {
    if (whole) {
      statement_.bind(at, *whole);
    } else {
      statement_.bind(at);
    }
  }
  void bind_one(int at, std::int64_t whole) { statement_.bind(at, whole); }
  SQLite::Statement& statement_;
};

template <class... Value>
void execute(SQLite::Statement& statement, const Value&... value) {
  Use use{statement};
  use.bind(value...);
  statement.exec();
}

template <class T>
T decoded(Result<T> result, const std::string& body, std::int64_t sum, bool& sound) {
  if (!result) throw Corrupt{result.error().detail};
  if (checksum(body) != sum) sound = false;
  return *std::move(result);
}

template <class T>
T must_be_sound(T (*read)(const std::string&, std::int64_t, bool&), SQLite::Statement& row,
                int body_column) {
  bool sound = true;
  auto value = read(row.getColumn(body_column).getString(),
                    row.getColumn(body_column + 1).getInt64(), sound);
  if (!sound) throw Corrupt{"a row does not have the checksum it was written with"};
  return value;
}

/// A damaged line must not hide the others.
TimelineLine readable_line(SQLite::Statement& row, const IncidentId& id) {
  try {
    bool sound = true;
    return line_of(row.getColumn(1).getString(), row.getColumn(2).getInt64(), sound);
  } catch (const Corrupt&) {
    TimelineLine lost;
    lost.incident = id;
    lost.text = "(this line is damaged in the store and cannot be read)";
    return lost;
  }
}

std::optional<std::int64_t> end_of(const Incident& incident) {
  if (incident.closed_at) return number(*incident.closed_at);
  if (incident.archived_at) return number(*incident.archived_at);
  if (incident.state == IncidentState::cancelled)
    return number(incident.mitigated_at.value_or(incident.opened_at));
  return std::nullopt;
}

}  // namespace

std::int64_t checksum(std::string_view body) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325u;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3u;
  return static_cast<std::int64_t>(hash);
}

Alert alert_of(const std::string& body, std::int64_t sum, bool& sound) {
  return decoded(json::decode_alert(body), body, sum, sound);
}
Incident incident_of(const std::string& body, std::int64_t sum, bool& sound) {
  return decoded(json::decode_incident(body), body, sum, sound);
}
TimelineLine line_of(const std::string& body, std::int64_t sum, bool& sound) {
  return decoded(json::decode_timeline_line(body), body, sum, sound);
}
OutboxEntry entry_of(const std::string& body, std::int64_t sum, bool& sound) {
  return decoded(json::decode_entry(body), body, sum, sound);
}
CheckMemory memory_of(const std::string& body, std::int64_t sum, bool& sound) {
  return decoded(json::decode_memory(body), body, sum, sound);
}

Rows::Rows(SQLite::Database& database)
    : get_anchor_{database,
                  "SELECT boot_id, steady, wall, clean, last_entry_id FROM state WHERE id = 1"},
      put_anchor_{database,
                  "INSERT INTO state(id, boot_id, steady, wall, clean, last_entry_id) VALUES (1, "
                  "?1, ?2, ?3, ?4, ?5) "
                  "ON CONFLICT(id) DO UPDATE SET boot_id = ?1, steady = ?2, wall = ?3, clean = ?4, "
                  "last_entry_id = max(last_entry_id, ?5)"},
      put_alert_{database,
                 "INSERT INTO alerts(name, body, sum) VALUES (?1, ?2, ?3) "
                 "ON CONFLICT(name) DO UPDATE SET body = ?2, sum = ?3"},
      put_incident_{database,
                    "INSERT INTO incidents(id, state, opened_at, ended_at, channel, body, sum) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET "
                    "state = ?2, opened_at = ?3, ended_at = ?4, channel = ?5, body = ?6, sum = ?7"},
      put_entry_{database,
                 "INSERT INTO outbox(id, incident, body, sum) VALUES (?1, ?2, ?3, ?4) "
                 "ON CONFLICT(id) DO UPDATE SET incident = ?2, body = ?3, sum = ?4"},
      append_line_{database, "INSERT INTO timeline(incident, body, sum) VALUES (?1, ?2, ?3)"},
      restore_line_{
          database,
          "INSERT OR IGNORE INTO timeline(sequence, incident, body, sum) VALUES (?1, ?2, ?3, ?4)"},
      remove_alert_{database, "DELETE FROM alerts WHERE name = ?1"},
      remove_entry_{database, "DELETE FROM outbox WHERE id = ?1"},
      get_timeline_{database,
                    "SELECT sequence, body, sum FROM timeline WHERE incident = ?1 ORDER BY "
                    "sequence DESC LIMIT ?2"},
      get_incidents_{database,
                     "SELECT body, sum FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?1"},
      database_{database} {}

std::optional<Anchor> Rows::anchor() {
  Use use{get_anchor_};
  if (!get_anchor_.executeStep()) return std::nullopt;
  Anchor found;
  found.boot_id = get_anchor_.getColumn(0).getString();
  found.at.steady = SteadyTime{Duration{get_anchor_.getColumn(1).getInt64()}};
  found.at.wall = WallTime{std::chrono::microseconds{get_anchor_.getColumn(2).getInt64()}};
  found.clean = get_anchor_.getColumn(3).getInt() != 0;
  found.last_entry_id = static_cast<std::uint64_t>(get_anchor_.getColumn(4).getInt64());
  return found;
}

void Rows::put(const Anchor& anchor) {
  execute(put_anchor_, anchor.boot_id, number(anchor.at.steady), number(anchor.at.wall),
          std::int64_t{anchor.clean ? 1 : 0}, static_cast<std::int64_t>(anchor.last_entry_id));
}

void Rows::put(const Alert& alert) {
  const auto body = json::encode(alert);
  execute(put_alert_, alert.check, body, checksum(body));
}

void Rows::put(const Incident& incident) {
  const auto body = json::encode(incident);
  const std::string state{to_string(incident.state)};
  execute(put_incident_, incident.id.value, state, number(incident.opened_at), end_of(incident),
          incident.channel.name, body, checksum(body));
}

void Rows::put(const OutboxEntry& entry) {
  const auto body = json::encode(entry);
  execute(put_entry_, static_cast<std::int64_t>(entry.id.value), entry.incident.value, body,
          checksum(body));
}

void Rows::put(const CheckMemory& memory) {
  if (memory.text.empty()) {
    if (!remove_memory_) remove_memory_.emplace(database_, "DELETE FROM memories WHERE name = ?1");
    execute(*remove_memory_, memory.check);
    return;
  }
  if (!put_memory_)
    put_memory_.emplace(database_,
                        "INSERT INTO memories(name, body, sum) VALUES (?1, ?2, ?3) "
                        "ON CONFLICT(name) DO UPDATE SET body = ?2, sum = ?3");
  const auto body = json::encode(memory);
  execute(*put_memory_, memory.check, body, checksum(body));
}

void Rows::append(const TimelineLine& line) {
  const auto body = json::encode(line);
  execute(append_line_, line.incident.value, body, checksum(body));
}

void Rows::restore(const TimelineLine& line) {
  const auto body = json::encode(line);
  execute(restore_line_, static_cast<std::int64_t>(line.sequence), line.incident.value, body,
          checksum(body));
}

void Rows::remove_alert(const std::string& name) { execute(remove_alert_, name); }
void Rows::remove_entry(EntryId id) { execute(remove_entry_, static_cast<std::int64_t>(id.value)); }

void Rows::write(const Commit& commit) {
  for (const auto& alert : commit.alerts) put(alert);
  for (const auto& name : commit.alerts_removed) remove_alert(name);
  for (const auto& incident : commit.incidents) put(incident);
  for (const auto& line : commit.timeline) append(line);
  for (const auto& entry : commit.entries) put(entry);
  for (const auto& id : commit.entries_removed) remove_entry(id);
  for (const auto& memory : commit.memories) put(memory);
}

Snapshot Rows::snapshot(WallTime now) {
  Snapshot found;
  SQLite::Statement alerts{database_, "SELECT body, sum FROM alerts ORDER BY name"};
  while (alerts.executeStep()) found.alerts.push_back(must_be_sound(alert_of, alerts, 0));
  SQLite::Statement unclosed{
      database_,
      "SELECT body, sum FROM incidents WHERE state NOT IN ('archived', 'cancelled') "
      "OR EXISTS (SELECT 1 FROM outbox WHERE outbox.incident = incidents.id) "
      "ORDER BY opened_at, id"};
  while (unclosed.executeStep()) found.incidents.push_back(must_be_sound(incident_of, unclosed, 0));
  SQLite::Statement past{database_,
                         "SELECT body, sum FROM incidents WHERE state IN ('archived', 'cancelled') "
                         "AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.incident = "
                         "incidents.id) "
                         "AND opened_at >= ?1 ORDER BY opened_at DESC, id DESC LIMIT ?2"};
  past.bind(1, number(now - history));
  past.bind(2, history_incidents);
  while (past.executeStep()) found.incidents.push_back(must_be_sound(incident_of, past, 0));
  std::stable_sort(found.incidents.begin(), found.incidents.end(),
                   [](const Incident& a, const Incident& b) {
                     return std::pair{a.opened_at, a.id.value} < std::pair{b.opened_at, b.id.value};
                   });
  SQLite::Statement entries{database_, "SELECT body, sum FROM outbox ORDER BY id"};
  while (entries.executeStep()) found.entries.push_back(must_be_sound(entry_of, entries, 0));
  if (database_.tableExists("memories")) {
    SQLite::Statement memories{database_, "SELECT body, sum FROM memories ORDER BY name"};
    while (memories.executeStep()) found.memories.push_back(must_be_sound(memory_of, memories, 0));
  }
  if (const auto last = anchor()) found.last_entry_id = last->last_entry_id;
  for (const auto& entry : found.entries)
    found.last_entry_id = std::max(found.last_entry_id, entry.id.value);
  return found;
}

std::vector<TimelineLine> Rows::timeline(const IncidentId& id, std::size_t most) {
  std::vector<TimelineLine> found;
  Use use{get_timeline_};
  use.bind(id.value, static_cast<std::int64_t>(most));
  while (get_timeline_.executeStep()) {
    found.push_back(readable_line(get_timeline_, id));
    found.back().sequence = static_cast<std::uint64_t>(get_timeline_.getColumn(0).getInt64());
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<Incident> Rows::incidents(std::size_t most) {
  std::vector<Incident> found;
  Use use{get_incidents_};
  use.bind(static_cast<std::int64_t>(most));
  while (get_incidents_.executeStep())
    found.push_back(must_be_sound(incident_of, get_incidents_, 0));
  return found;
}

std::vector<std::string> Rows::channel_names() {
  std::vector<std::string> found;
  SQLite::Statement names{
      database_, "SELECT DISTINCT channel FROM incidents WHERE channel <> '' ORDER BY channel"};
  while (names.executeStep()) found.push_back(names.getColumn(0).getString());
  return found;
}

bool Rows::forget_closed_before(WallTime before) {
  std::vector<std::string> ids;
  {
    // One that still has something to send stays until that is settled.
    SQLite::Statement closed{
        database_,
        "SELECT id FROM incidents WHERE ended_at < ?1 AND "
        "state IN ('closed', 'archived', 'cancelled') AND "
        "NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.incident = incidents.id) "
        "ORDER BY opened_at LIMIT ?2"};
    closed.bind(1, number(before));
    closed.bind(2, forgotten_at_once);
    while (closed.executeStep()) ids.push_back(closed.getColumn(0).getString());
  }
  SQLite::Statement lines{database_, "DELETE FROM timeline WHERE incident = ?1"};
  SQLite::Statement incident{database_, "DELETE FROM incidents WHERE id = ?1"};
  for (const auto& id : ids) {
    execute(lines, id);
    execute(incident, id);
  }
  return ids.size() == static_cast<std::size_t>(forgotten_at_once);
}

}  // namespace tocsin::store
