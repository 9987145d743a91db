#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tocsin/model/commit.hpp"

namespace tocsin::store {

/// Commits folded into one: of each alert, incident, entry and memory only the newest state, of the
/// timeline every line in order. So what waits for a disk is as large as what lives, not as long as
/// the outage. Two bounds remain: beyond `lines_most` timeline lines the oldest are kept, and each
/// incident gets one line that says how many were lost; beyond `incidents_most` incidents those
/// that are long over go first.
class Backlog {
 public:
  static constexpr std::size_t lines_most = 20'000;
  static constexpr std::size_t incidents_most = 2'000;

  /// `last_written` is the highest entry id on disk: an entry above it that comes and goes while it
  /// waits leaves no trace.
  void add(const Commit& commit, std::uint64_t last_written);
  bool empty() const noexcept { return commits_ == 0; }
  /// How many commits were folded.
  std::size_t commits() const noexcept { return commits_; }
  /// Everything as one commit, the notes on lost lines included.
  Commit merged() const;
  void clear() { *this = Backlog{}; }

  /// The newest state of the incidents that wait, and the lines of one of them.
  const std::map<std::string, Incident>& incidents() const noexcept { return incidents_; }
  void add_lines_to(std::vector<TimelineLine>& lines, const IncidentId& id) const;

 private:
  void add_line(const TimelineLine& line);
  void shed_incident();

  std::map<std::string, Alert> alerts_;
  std::set<std::string> alerts_removed_;
  std::map<std::string, Incident> incidents_;
  std::map<std::uint64_t, OutboxEntry> entries_;
  std::set<std::uint64_t> entries_removed_;
  std::map<std::string, std::string> memories_;
  std::vector<TimelineLine> lines_;
  struct Lost {
    std::size_t count{0};
    WallTime last{};
  };
  std::map<std::string, Lost> lines_lost_;
  std::size_t commits_{0};
};

}  // namespace tocsin::store
