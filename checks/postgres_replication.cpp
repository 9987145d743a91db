#include "checks/postgres_replication.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <utility>

namespace tocsin::checks {
namespace {

constexpr std::size_t replicas_known_max = 64;
constexpr Duration missed_for{std::chrono::hours{24}};

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::string key_of(const PostgresStandby& standby) { return standby.name + "@" + standby.address; }

std::string words_of(const PostgresReplica& replica) {
  if (replica.paused) return "replay is paused";
  if (replica.by_archive) return "fetches the log from an archive";
  if (!replica.receiving) return "no receiver is connected to the primary";
  return replica.status.empty() ? "receiving" : "receiver is " + replica.status;
}

}  // namespace

void ReplicationWatch::note_backlog(std::optional<double> bytes, SteadyTime now) {
  catch_up_seconds_.reset();
  if (bytes && backlog_ && now > backlog_->at && *bytes > 0 && *bytes < backlog_->bytes)
    catch_up_seconds_ = *bytes * seconds(now - backlog_->at) / (backlog_->bytes - *bytes);
  backlog_.reset();
  if (bytes) backlog_ = Backlog{*bytes, now};
}

ReplicaReading ReplicationWatch::see_itself(const PostgresReplica& replica, SteadyTime now) {
  ReplicaReading reading;
  reading.running = !replica.paused && (replica.streams() || replica.by_archive);
  reading.lag_bytes = replica.bytes;
  reading.state = words_of(replica);
  note_backlog(replica.bytes, now);
  if (replica.streams() && replica.bytes && *replica.bytes <= 0) {
    // All that the primary is known to have written is replayed: an idle primary is no lag.
    caught_up_ = now;
    reading.lag_seconds = 0;
    return reading;
  }
  reading.lag_seconds = replica.age;
  // After an idle hour the first new transaction is not an hour late.
  if (caught_up_) {
    const auto most = seconds(now - *caught_up_);
    reading.lag_seconds = std::min(replica.age.value_or(most), most);
  }
  return reading;
}

std::optional<double> ReplicationWatch::lag_of(const PostgresStandby& standby, Known& known,
                                               SteadyTime now) {
  if (!standby.bytes || !standby.position) return standby.replay_lag;
  const bool moved = *standby.position > known.position;
  known.position = *standby.position;
  if (moved) known.moved = now;
  if (*standby.bytes <= 0) {
    known.behind_since.reset();
    return 0;
  }
  // What was written just now cannot have been waiting for long, however long ago the last write
  // was replayed.
  if (!known.behind_since) known.behind_since = known.moved = now;
  // The primary's own measurement stands still when replay does.
  if (!standby.replay_lag) return seconds(now - *known.behind_since);
  return std::max(*standby.replay_lag, seconds(now - known.moved));
}

/// The one that it was before, when it came back from another address.
void ReplicationWatch::take_over(const PostgresStandby& standby, const std::string& key,
                                 const std::set<std::string>& here) {
  if (known_.contains(key)) return;
  const auto before = std::find_if(known_.begin(), known_.end(), [&](const auto& each) {
    return each.second.name == standby.name && !here.contains(each.first);
  });
  if (before == known_.end()) return;
  auto node = known_.extract(before);
  node.key() = key;
  known_.insert(std::move(node));
}

std::vector<ReplicaReading> ReplicationWatch::see_standbys(
    const std::vector<PostgresStandby>& standbys, SteadyTime now) {
  std::vector<ReplicaReading> readings;
  std::set<std::string> here;
  std::optional<double> most_behind;
  for (const auto& standby : standbys) here.insert(key_of(standby));
  for (const auto& standby : standbys) {
    const auto key = key_of(standby);
    take_over(standby, key, here);
    if (!known_.contains(key) && known_.size() >= replicas_known_max) continue;
    auto& known = known_[key];
    if (known.seen == now) continue;  // Two of one name at one address cannot be told apart.
    known.name = standby.name;
    known.seen = now;
    ReplicaReading reading;
    reading.instance = standby.name;
    reading.peer = key;
    reading.running = standby.state == "streaming" || standby.state == "catchup";
    reading.state = standby.state;
    reading.lag_seconds = lag_of(standby, known, now);
    reading.lag_bytes = standby.bytes;
    if (standby.bytes) most_behind = std::max(most_behind.value_or(0), *standby.bytes);
    readings.push_back(std::move(reading));
  }
  note_backlog(most_behind, now);
  add_missing(readings, now);
  std::map<std::string, int> names;
  for (const auto& reading : readings) ++names[reading.instance];
  for (auto& reading : readings)
    if (names[reading.instance] > 1) reading.instance = reading.peer;
  return readings;
}

void ReplicationWatch::add_missing(std::vector<ReplicaReading>& readings, SteadyTime now) {
  std::erase_if(known_, [&](const auto& each) { return now - each.second.seen > missed_for; });
  for (const auto& [key, known] : known_) {
    if (known.seen == now) continue;
    ReplicaReading reading;
    reading.instance = known.name;
    reading.peer = key;
    reading.lag_seconds = seconds(now - known.seen);
    reading.state = "not connected for " + describe(now - known.seen);
    readings.push_back(std::move(reading));
  }
}

void ReplicationWatch::forget_spans() {
  caught_up_.reset();
  backlog_.reset();
  catch_up_seconds_.reset();
  for (auto& [key, known] : known_) known.behind_since.reset();
}

}  // namespace tocsin::checks
