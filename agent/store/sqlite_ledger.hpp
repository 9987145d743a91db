#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "agent/store/ledger.hpp"
#include "agent/store/rows.hpp"

namespace tocsin::store {

/// Keeps another agent away from the same store, by a record lock on "<path>.lock": unlike
/// flock(2), it is not inherited by the helper processes an agent may leave behind when it is
/// killed.
class StoreLock {
 public:
  StoreLock() = default;
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  /// Errc::refused when another process has it. A folder that takes no files needs no lock.
  Result<void> take(const std::string& path);

 private:
  int fd_{-1};
};

class SqliteLedger final : public Ledger {
 public:
  SqliteLedger(std::string path, std::string boot_id, Now opened);
  ~SqliteLedger() override;

  /// Opens, checks, migrates, salvages and loads; fills all of `into` but the ledger.
  Result<void> start(Opened& into);

  Result<void> commit(const Commit& commit, Now now) override;
  Result<void> ready() override;
  std::uint64_t last_entry_id() const override { return last_entry_id_; }
  Result<std::vector<TimelineLine>> timeline(const IncidentId& id, std::size_t most) override;
  Result<std::vector<Incident>> incidents(std::size_t most) override;
  Result<std::vector<std::string>> channel_names() override;
  Result<void> forget_closed_before(WallTime before) override;
  std::vector<std::string> take_warnings() override;

 private:
  struct Connection {
    explicit Connection(const std::string& path, int flags);
    SQLite::Database database;
    std::optional<Rows> rows{};  ///< Once the schema is there.
  };

  Result<void> connect(Opened& into);
  Result<void> open_sound(Opened& into);
  void replace_by_salvage(Opened& into);
  void adopt(Opened& into);
  void look_without_writing(Opened& into);
  void write_adoption();
  bool takes_no_writes();
  Result<void> reconnect();
  /// Runs `work`; what it throws becomes an Error, and a connection to a store found corrupt is
  /// dropped.
  template <class Work>
  Result<void> guarded(const char* doing, Work work);
  /// The same for reading: from what was salvaged, when the store is found corrupt.
  template <class Work>
  Result<void> guarded_reading(Work work);

  std::string path_;
  std::string boot_id_;
  Now opened_;
  StoreLock lock_;
  std::unique_ptr<Connection> connection_;
  std::optional<Commit>
      adoption_{};       ///< What carry_over changed and no transaction has written yet.
  bool suspect_{false};  ///< Found corrupt while running: check it when it is opened next.
  std::uint64_t last_entry_id_{0};
  std::vector<std::string> warnings_{};
};

}  // namespace tocsin::store
