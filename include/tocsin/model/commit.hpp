#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/model/alert.hpp"
#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin {

/// What a check wants to know again after a restart, in words of its own.
struct CheckMemory {
  std::string check{};
  std::string text{};
  friend bool operator==(const CheckMemory&, const CheckMemory&) = default;
};

/// All that one decision changes, written in one transaction or not at all: state, the lines that
/// tell of it, and the effects it caused. Values, so that a decision can be tested without a store
/// and replayed into memory without a disk.
struct Commit {
  std::vector<Alert> alerts{};  ///< Upserts.
  std::vector<std::string> alerts_removed{};
  std::vector<Incident> incidents{};     ///< Upserts.
  std::vector<TimelineLine> timeline{};  ///< Appends, in order.
  std::vector<OutboxEntry> entries{};    ///< Upserts, by id.
  std::vector<EntryId> entries_removed{};
  std::vector<CheckMemory> memories{};  ///< Upserts, by check; one without a text is removed.
  bool empty() const {
    return alerts.empty() && alerts_removed.empty() && incidents.empty() && timeline.empty() &&
           entries.empty() && entries_removed.empty() && memories.empty();
  }
};

/// Everything the agent needs to go on where it stopped. Timelines stay on disk and are read when
/// asked for.
struct Snapshot {
  std::vector<Alert> alerts{};
  std::vector<Incident>
      incidents{};  ///< Unclosed ones, and the closed of the last 7 days for history.
  std::vector<OutboxEntry> entries{};
  std::vector<CheckMemory> memories{};
  std::uint64_t last_entry_id{0};
};

}  // namespace tocsin
