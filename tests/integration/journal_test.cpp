// A real journald, in a mount namespace of its own where /run is empty: quiet, then full of refused
// logins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

constexpr const char* journald = "/lib/systemd/systemd-journald";

class Journal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(journald, X_OK) != 0)
      GTEST_SKIP() << "journald is not installed: apt-get install systemd";
    const auto own = run({"/usr/bin/unshare", "--mount", "/bin/mount", "-t", "tmpfs", "-o",
                          "size=256m", "tmpfs", "/run"});
    if (own.code != 0) GTEST_SKIP() << "a mount namespace takes root: " << own.errors;
    journald_ = std::make_unique<Program>(std::vector<std::string>{
        "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
        std::string{"mount -t tmpfs -o size=256m tmpfs /run && mkdir -p /run/systemd/journal "
                    "/run/log/journal && exec "} +
            journald});
    ASSERT_TRUE(eventually([&] {
      return here({"/usr/bin/test", "-S", socket}).code == 0;
    })) << journald_->text();
    agent_.start_by(words({}));
    agent_.configure(
        "checks:\n  - name: logins\n    type: log\n    every: 500ms\n"
        "    journal: {identifier: sshd}\n    window: 10s\n    topic: security\n"
        "    sets: [failed_logins]\n    critical: failed_logins_matches > 3\n"
        "    clear: failed_logins_matches < 1\n",
        "  recover_hold: 1s\n");
    agent_.start();
  }
  void TearDown() override {
    if (journald_) journald_->kill();
  }
  /// Where the journald is.
  std::vector<std::string> words(std::vector<std::string> command) const {
    std::vector<std::string> all{"/usr/bin/nsenter", "--mount", "--target",
                                 std::to_string(journald_->pid())};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }
  Answer here(std::vector<std::string> command) const { return run(words(std::move(command))); }
  void refuse(int times) const {
    const auto told = here({"/bin/sh", "-c",
                            "for i in $(seq " + std::to_string(times) +
                                "); do echo \"Failed password for root from 203.0.113.9 port $i "
                                "ssh2\"; done | systemd-cat -t sshd"});
    ASSERT_EQ(told.code, 0) << told.errors;
  }
  json::value look() const { return at(agent_.get("/api/v1/checks").json(), 0); }
  double sample(const std::string& name) const {
    const auto seen = look();
    for (const auto& each : items(at(seen, "samples")))
      if (text_at(each, "name") == name) return at(each, "value").to_number<double>();
    return -1;
  }

  static constexpr const char* socket = "/run/systemd/journal/stdout";
  std::unique_ptr<Program> journald_;
  Agent agent_;
};

TEST_F(Journal, ThatIsQuietIsWellAndRefusedLoginsInItAreTold) {
  EXPECT_TRUE(eventually([&] { return sample("failed_logins_matches") == 0; }))
      << json::serialize(look());
  EXPECT_EQ(text_at(look(), "severity"), "ok") << "no entry yet is no failure";
  refuse(5);
  const auto open = agent_.wait_for_incident("security", "open");
  EXPECT_THAT(text_at(open, "title"),
              HasSubstr("CRITICAL: security on web-1: failed_logins_matches 5 > 3"));
  const auto told = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(told, HasSubstr("failed_logins: 5 lines in the last 10s"));
  EXPECT_THAT(told, HasSubstr("from 203.0.113.9 port 5 ssh2"));
  const auto over = agent_.wait_for_incident("security", "resolved", 90s);
  EXPECT_EQ(text_at(over, "summary", "recovery_estimate"), "recovered");
}

TEST_F(Journal, IsReadOnFromWhereItWasLeft) {
  ASSERT_TRUE(eventually([&] { return sample("failed_logins_matches") == 0; }));
  refuse(1);
  ASSERT_TRUE(eventually([&] { return sample("failed_logins_matches") == 1; }))
      << json::serialize(look());
  agent_.stop();
  refuse(2);
  agent_.start();
  // What it had counted may be read again; what came meanwhile is not missed.
  EXPECT_TRUE(eventually([&] { return sample("failed_logins_matches") >= 2; }))
      << json::serialize(look());
}

}  // namespace
}  // namespace tocsin::integration
