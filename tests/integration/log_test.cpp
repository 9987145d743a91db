// A log that is flooded while it is rotated, and an agent that is killed meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Log : public ::testing::Test {
 protected:
  void SetUp() override {
    write("quiet\n");
    agent_.configure(
        "checks:\n  - name: logins\n    type: log\n    every: 500ms\n    file: " + file() +
            "\n    window: 10s\n    topic: security\n    sets: [failed_logins]\n"
            "    patterns: {leaks: \"password=\"}\n"
            "    critical: failed_logins_matches > 40\n    clear: failed_logins_matches < 1\n",
        "  recover_hold: 1s\n");
    start();
  }
  void start() {
    agent_.start();
    ASSERT_TRUE(eventually([&] { return lines_seen() >= 0; }));
  }
  std::string file() const { return folder_ / "auth.log"; }
  void write(const std::string& text) const { std::ofstream{file(), std::ios::app} << text; }
  double sample(const std::string& name) const {
    for (const auto& check : items(agent_.get("/api/v1/checks").json()))
      for (const auto& each : items(at(check, "samples")))
        if (text_at(each, "name") == name) return at(each, "value").to_number<double>();
    return -1;
  }
  double lines_seen() const { return sample("lines_per_second"); }
  static std::string refused(int i) {
    return "Nov 23 02:00:01 web-1 sshd[77]: Failed password for root from 203.0.113.9 port " +
           std::to_string(i) + " ssh2\n";
  }

  Folder folder_;
  Agent agent_;
};

TEST_F(Log, OfGuessedPasswordsOpensAnIncidentThatShowsThemAndEndsWithThem) {
  std::string guesses;
  for (int i = 0; i < 60; ++i) guesses += refused(i);
  write(guesses + "app: connecting with password=hunter2\n");
  const auto id = text_at(agent_.wait_for_incident("security", "open"), "id");
  json::value incident;
  ASSERT_TRUE(eventually([&] {
    incident = agent_.incident(id);
    return !items(at(incident, "alerts", 0, "evidence", "lines")).empty();
  }));
  EXPECT_THAT(text_at(incident, "title"),
              HasSubstr("CRITICAL: security on web-1: failed_logins_matches 60 > 40"));
  const auto told = json::serialize(at(incident, "alerts", 0, "evidence", "lines"));
  EXPECT_THAT(told, HasSubstr("failed_logins: 60 lines in the last 10s"));
  EXPECT_THAT(told, HasSubstr("from 203.0.113.9 port 59"));
  EXPECT_THAT(told, HasSubstr("password=<redacted>"));
  EXPECT_THAT(json::serialize(incident), Not(HasSubstr("hunter2")));
  agent_.wait_for_incident("security", "resolved", 90s);
}

TEST_F(Log, LosesNothingWhenItIsRotatedAndTheAgentIsKilled) {
  for (int i = 0; i < 20; ++i) write(refused(i));
  ASSERT_TRUE(eventually([&] { return sample("failed_logins_matches") == 20; }));
  agent_.kill();
  for (int i = 0; i < 15; ++i) write(refused(i));
  std::filesystem::rename(file(), file() + ".1");
  for (int i = 0; i < 30; ++i) write(refused(i));
  start();
  // What it had counted is read again at worst; what came while it was dead is not missed.
  EXPECT_TRUE(eventually([&] { return sample("failed_logins_matches") >= 45; }));
}

TEST_F(Log, ThatIsRemovedForGoodIsToldAndBackWhenItIs) {
  agent_.stop();
  agent_.configure(
      "checks:\n  - name: logins\n    type: log\n    every: 200ms\n    file: " + file() +
          "\n    sets: [failed_logins]\n    critical: file_missing_seconds > 1s\n"
          "    clear: file_missing_seconds == 0\n",
      "  recover_hold: 200ms\n");
  start();
  std::filesystem::remove(file());
  const auto open = agent_.wait_for_incident("logins", "open");
  EXPECT_THAT(text_at(open, "title"),
              HasSubstr("CRITICAL: logins on web-1: file_missing_seconds "));
  const auto gone = "there has been no " + file() + " for ";
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr(gone));
  EXPECT_THAT(json::serialize(agent_.incident(text_at(open, "id"))), HasSubstr(gone));
  write(refused(1));
  agent_.wait_for_incident("logins", "resolved");
  EXPECT_TRUE(eventually([&] { return sample("failed_logins_matches") == 1; }));
}

TEST_F(Log, ThatIsFloodedCostsItsOwnCheckOnly) {
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += "a line that says nothing of interest, over and over\n";
  for (int i = 0; i < 60; ++i) write(flood);
  const auto worst = agent_.metric("tocsin_schedule_lag_seconds_sum");
  for (int i = 0; i < 60; ++i) write(refused(i));
  EXPECT_EQ(agent_.get("/-/healthy").status, 200);
  const auto open = agent_.wait_for_incident("security", "open", 60s);
  EXPECT_THAT(text_at(open, "title"), HasSubstr("failed_logins_matches 60 > 40"));
  EXPECT_THAT(json::serialize(agent_.incident(text_at(open, "id"))),
              HasSubstr("from 203.0.113.9 port 59"))
      << "what matters is found behind all the rest";
  EXPECT_LT(agent_.metric("tocsin_schedule_lag_seconds_sum") - worst, 5)
      << "the loop had time for others meanwhile";
  agent_.wait_for_incident("security", "resolved", 90s);
}

TEST_F(Log, ThatIsFloodedBeyondWhatCanBeReadSaysWhatItPassedOver) {
  // As much as comes while a disk is full of it: more than is ever read behind.
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += "a line that says nothing of interest, over and over\n";
  agent_.program().signal(SIGSTOP);
  for (int i = 0; i < 80; ++i) write(flood);
  for (int i = 0; i < 60; ++i) write(refused(i));
  agent_.program().signal(SIGCONT);
  const auto open = agent_.wait_for_incident("security", "open", 60s);
  const auto told = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(told, HasSubstr("more came than can be read: "));
  EXPECT_THAT(told, HasSubstr("failed_logins: 60 lines in the last 10s"));
}

}  // namespace
}  // namespace tocsin::integration
