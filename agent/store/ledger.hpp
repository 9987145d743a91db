#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/commit.hpp"

namespace tocsin::store {

/// The SQLite file behind everything: WAL mode, synchronous=FULL, one writer. Blocking; used from one thread at a time
/// (the blocking thread while the agent runs). Never throws.
class Ledger {
 public:
  struct Opened {
    std::unique_ptr<Ledger> ledger;
    Snapshot snapshot;
    std::vector<std::string> warnings{};  ///< "the store was corrupt: set aside as …; 3 incidents were kept".
    std::string set_aside{};              ///< Path of a corrupt store that was moved away; empty: none.
  };
  /// Opens, migrates and loads. A corrupt file is renamed to "<path>.corrupt-<time>", what can be read of it is kept; a
  /// newer schema is refused (Errc::unsupported) with a sentence. Steady times are moved across a reboot: kept as they
  /// are when boot_id is the one they were stored under, else shifted by the wall time that passed (never backwards).
  static Result<Opened> open(const std::string& path, const std::string& boot_id, Now now);

  virtual ~Ledger() = default;
  /// One transaction, on disk (fsync) when this returns success. Errc::unreadable when the disk is full, read-only or gone.
  virtual Result<void> commit(const Commit& commit, Now now) = 0;
  virtual Result<std::vector<TimelineLine>> timeline(const IncidentId& id, std::size_t most) = 0;
  virtual Result<std::vector<Incident>> incidents(std::size_t most) = 0;   ///< Newest first, archived ones included.
  virtual Result<std::vector<std::string>> channel_names() = 0;            ///< Ever used.
  virtual Result<void> forget_closed_before(WallTime before) = 0;          ///< Retention, bounded work per call.
};

}  // namespace tocsin::store
