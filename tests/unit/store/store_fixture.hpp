#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "agent/store/ledger.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::store {

using namespace std::chrono_literals;

inline Now at(int seconds) {
  return {SteadyTime{std::chrono::hours{100} + std::chrono::seconds{seconds}},
          WallTime{std::chrono::seconds{1'700'000'000 + seconds}}};
}

inline Incident incident(const std::string& id, int opened = 0) {
  Incident made;
  made.id = IncidentId{id};
  made.key = "production/web-1/" + id;
  made.topic = "nginx";
  made.host = "web-1";
  made.state = IncidentState::open;
  made.title = "nginx is down on web-1";
  made.opened_at = at(opened).wall;
  made.channel.name = "issue-" + id;
  return made;
}

inline OutboxEntry entry(std::uint64_t id, const std::string& of,
                         EntryState state = EntryState::queued) {
  OutboxEntry made;
  made.id = EntryId{id};
  made.incident = IncidentId{of};
  made.effect = TriggerPage{"sre", "key-" + of, false};
  made.receiver = ReceiverId{"pagerduty/sre"};
  made.state = state;
  made.created = at(0).wall;
  return made;
}

inline TimelineLine line(const std::string& of, const std::string& text) {
  return {IncidentId{of}, at(0).wall, TimelineKind::note, "", text, 0};
}

inline Alert alert(const std::string& check, AlertPhase phase = AlertPhase::firing) {
  Alert made;
  made.check = check;
  made.phase = phase;
  made.severity = Severity::critical;
  made.why = "up 0 < 1";
  made.since = at(0).wall;
  return made;
}

inline std::vector<std::string> texts(const std::vector<TimelineLine>& lines) {
  std::vector<std::string> found;
  for (const auto& one : lines) found.push_back(one.text);
  return found;
}

/// A folder of the test's own, with a store in it.
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/tocsin.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Ledger::Opened open(Now now = at(0), const std::string& boot = "boot-1") {
    auto opened = Ledger::open(path_, boot, now);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
    return opened ? *std::move(opened) : Ledger::Opened{};
  }
  std::string read(const std::string& path) const {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& path, const std::string& bytes) const {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
  }
  /// What a process leaves that is killed: the files as they are, side files included.
  void copy_store(const std::string& to) const {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      if (std::filesystem::exists(path_ + suffix))
        std::filesystem::copy_file(path_ + suffix, to + suffix);
    }
  }

  std::string folder_;
  std::string path_;
};

}  // namespace tocsin::store
