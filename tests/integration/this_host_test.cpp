// The checks of the host itself, on the host that the test runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

class ThisHost : public ::testing::Test {
 protected:
  /// `tocsin check --json`: by check and sample; of the largest instance.
  std::map<std::string, double> measure(const std::string& checks) {
    agent_.configure("checks:\n" + checks);
    const auto answer = agent_.command({"check", "--json"});
    std::map<std::string, double> values;
    for (const auto& check : items(json::parse(answer.output)))
      for (const auto& sample : items(at(check, "samples"))) {
        auto& value = values[text_at(check, "name") + "." + text_at(sample, "name")];
        value = std::max(value, at(sample, "value").to_number<double>());
      }
    said_ = answer.output;
    return values;
  }
  /// The largest value of a metric among all its series; NaN when there is none.
  double largest(const std::string& metric) const {
    std::istringstream lines{agent_.get("/metrics").body};
    double most = std::nan("");
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(metric + "{"))
        most = std::fmax(most, std::stod(line.substr(line.rfind(' '))));
    return most;
  }

  Agent agent_;
  std::string said_;
};

TEST_F(ThisHost, HasItsTablesMeasured) {
  const auto values = measure("  - {name: limits, type: limits}\n");
  ASSERT_TRUE(values.count("limits.handles_used_ratio")) << said_;
  EXPECT_GT(values.at("limits.handles"), 0);
  EXPECT_GT(values.at("limits.pids"), 1);
  for (const auto* name : {"limits.handles_used_ratio", "limits.pids_used_ratio"}) {
    EXPECT_GT(values.at(name), 0) << name;
    EXPECT_LT(values.at(name), 1) << name;
  }
  EXPECT_EQ(values.count("limits.conntrack_used_ratio"),
            access("/proc/sys/net/netfilter/nf_conntrack_count", R_OK) == 0 ? 1u : 0u);
}

TEST_F(ThisHost, HasItsClockMeasured) {
  timex kept{};
  const auto answer = adjtimex(&kept);
  if (answer < 0) GTEST_SKIP() << "adjtimex is not allowed here: the clock check was NOT tested";
  const auto values = measure("  - {name: clock, type: clock}\n");
  ASSERT_TRUE(values.count("clock.synchronised")) << said_;
  EXPECT_EQ(values.at("clock.synchronised"), kept.maxerror < 16'000'000 ? 1 : 0);
  EXPECT_GT(values.at("clock.maximum_error_seconds"), 0);
  EXPECT_LE(values.at("clock.maximum_error_seconds"), 16.1);
}

TEST_F(ThisHost, HasItsDisksMeasured) {
  const auto values = measure("  - {name: disks, type: disk_io, devices: \"*\"}\n");
  if (read_file("/proc/diskstats").empty()) GTEST_SKIP() << "this host shows no block device";
  for (const auto* name : {"await_seconds", "utilisation_ratio", "queue_depth",
                           "read_bytes_per_second", "write_bytes_per_second"})
    EXPECT_TRUE(values.count("disks." + std::string{name})) << name << said_;
  EXPECT_LE(values.at("disks.utilisation_ratio"), 1);
}

TEST_F(ThisHost, IsSeenToWriteToItsDisks) {
  const Folder folder;
  struct statfs found {};
  ASSERT_EQ(statfs(folder.path().c_str(), &found), 0);
  if (found.f_type == TMPFS_MAGIC) GTEST_SKIP() << folder.path() << " is on no disk";
  agent_.configure("checks:\n  - {name: disks, type: disk_io, every: 200ms, devices: \"*\"}\n");
  agent_.start();
  const auto file = open((folder / "data").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  const std::string block(256 << 10, 'x');
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(pwrite(file, block.data(), block.size(), 0), static_cast<ssize_t>(block.size()));
    fsync(file);
    return largest("tocsin_disk_io_write_bytes_per_second") > 0 &&
           largest("tocsin_disk_io_await_seconds") > 0;
  })) << agent_.get("/metrics").body;
  close(file);
}

TEST_F(ThisHost, TellsWhoHoldsMostWhenATableFillsUp) {
  agent_.configure(
      "checks:\n  - {name: limits, type: limits, every: 500ms, critical: handles > 1}\n");
  agent_.start();
  const auto open = agent_.wait_for_incident("limits", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: limits on web-1: handles "));
  const auto detail = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(detail, HasSubstr("File handles: "));
  EXPECT_THAT(detail, HasSubstr("limit fs.file-max"));
  EXPECT_THAT(detail, HasSubstr("Processes and threads: "));
  EXPECT_THAT(detail, HasSubstr("Most threads: "));
  EXPECT_THAT(detail, HasSubstr("Most open descriptors: "));
}

TEST_F(ThisHost, TellsWhoKeepsItsClockWhenItIsOff) {
  timex kept{};
  if (adjtimex(&kept) < 0) GTEST_SKIP() << "adjtimex is not allowed here";
  agent_.configure(
      "checks:\n  - {name: clock, type: clock, every: 500ms, critical: maximum_error_seconds > "
      "0s}\n");
  agent_.start();
  const auto open = agent_.wait_for_incident("clock", "open");
  const auto detail = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(detail, HasSubstr("maximum error "));
  EXPECT_THAT(detail, ::testing::AnyOf(HasSubstr("No time daemon runs"), HasSubstr("Running: ")));
}

}  // namespace
}  // namespace tocsin::integration
