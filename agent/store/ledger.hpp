#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/commit.hpp"

namespace tocsin::store {

/// The SQLite file behind everything: WAL mode, synchronous=FULL, one writer. Blocking; used from
/// one thread at a time (the blocking thread while the agent runs). Never throws.
class Ledger {
 public:
  struct Opened {
    std::unique_ptr<Ledger> ledger;
    Snapshot snapshot;
    std::vector<std::string>
        warnings{};           ///< "the store was corrupt: set aside as …; 3 incidents were kept".
    std::string set_aside{};  ///< Path of a corrupt store that was moved away; empty: none.
    /// The disk takes what is written. False: it is full, read-only or gone; the snapshot is what
    /// could be read, and the ledger opens the file again by itself when ready() or commit() is
    /// called and the disk is back.
    bool writable{true};
  };
  /// Opens, migrates and loads. A corrupt file is renamed to "<path>.corrupt-<time>", what can be
  /// read of it is kept; a newer schema is refused (Errc::unsupported) with a sentence, and so is a
  /// file that another agent has open (Errc::refused). A disk that does not take writes is no
  /// error: see Opened::writable. Steady times are moved across a reboot: kept as they are when
  /// boot_id is the one they were stored under, else shifted by the wall time that passed (never
  /// backwards).
  static Result<Opened> open(const std::string& path, const std::string& boot_id, Now now);

  virtual ~Ledger() = default;
  /// One transaction, on disk (fsync) when this returns success. Errc::unreadable when the disk is
  /// full, read-only or gone.
  virtual Result<void> commit(const Commit& commit, Now now) = 0;
  /// Whether a commit could succeed now, found out by trying: Errc::unreadable when the disk is
  /// full, read-only or gone.
  virtual Result<void> ready() { return {}; }
  /// The highest entry id on disk, ever. A ledger that does not know says the highest there is.
  virtual std::uint64_t last_entry_id() const { return ~std::uint64_t{0}; }
  /// The newest `most` lines, in order.
  virtual Result<std::vector<TimelineLine>> timeline(const IncidentId& id, std::size_t most) = 0;
  virtual Result<std::vector<Incident>> incidents(
      std::size_t most) = 0;  ///< Newest first, archived ones included.
  virtual Result<std::vector<std::string>>
  channel_names() = 0;  ///< Of every incident that is kept.
  /// What people should know and has happened since this was last asked: a store set aside while
  /// running.
  virtual std::vector<std::string> take_warnings() { return {}; }
  virtual Result<void> forget_closed_before(
      WallTime before) = 0;  ///< Retention, bounded work per call.
};

}  // namespace tocsin::store
