// The checks of the host itself, on the host that the test runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <sstream>
#include <stop_token>
#include <thread>

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

using ::testing::AnyOf;
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

  /// Starts the agent with a rule on one number of the kernel's tables.
  void watch_limit(const std::string& sample, double bound) {
    const auto whole = std::to_string(static_cast<long>(bound));
    agent_.configure("checks:\n  - {name: limits, type: limits, every: 500ms, critical: " + sample +
                         " > " + whole + ", clear: " + sample + " < " + whole + "}\n",
                     "  recover_hold: 300ms\n");
    agent_.start();
  }
  /// All that is told of an incident, evidence too.
  std::string told(const json::value& incident) const {
    return json::serialize(agent_.incident(text_at(incident, "id")));
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

TEST_F(ThisHost, TellsWhoLeaksDescriptorsUntilItEnds) {
  const auto before = measure("  - {name: limits, type: limits}\n").at("limits.handles");
  watch_limit("handles", before + 1500);
  // Far more than the rest of this host gains meanwhile, and nearly all that it may have.
  Program leak{{"/bin/bash", "-c",
                "ulimit -n 3000 && for ((i = 0; i < 2900; ++i)); do exec {held}</dev/null; done && "
                "exec sleep 600"}};
  const auto open = agent_.wait_for_incident("limits", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: limits on web-1: handles "));
  EXPECT_EQ(text_at(open, "summary", "component"), "limits");
  EXPECT_THAT(text_at(open, "summary", "source"), HasSubstr("limits (limits) on web-1: handles "));
  // The look may have come while it was still at it.
  const auto words = [&](const std::string& name) {
    return "Most open descriptors: " + name + " (" + std::to_string(leak.pid()) + ") ";
  };
  EXPECT_THAT(told(open), AnyOf(HasSubstr(words("bash")), HasSubstr(words("sleep"))));
  leak.kill();
  agent_.wait_for_incident("limits", "resolved");
}

TEST_F(ThisHost, TellsWhoHasThreadsWithoutEndUntilTheyEnd) {
  const auto before = measure("  - {name: limits, type: limits}\n").at("limits.pids");
  watch_limit("pids", before + 300);
  {
    std::promise<void> over;
    const auto ended = over.get_future().share();
    std::vector<std::jthread> threads;
    for (int i = 0; i < 600; ++i) threads.emplace_back([ended] { ended.wait(); });
    const auto open = agent_.wait_for_incident("limits", "open");
    EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: limits on web-1: pids "));
    EXPECT_THAT(told(open), HasSubstr("(" + std::to_string(getpid()) + ") 60"));
    over.set_value();
  }
  agent_.wait_for_incident("limits", "resolved");
}

TEST_F(ThisHost, TellsWhoWritesToItsDisksUntilItEnds) {
  const Folder folder;
  struct statfs found {};
  ASSERT_EQ(statfs(folder.path().c_str(), &found), 0);
  if (found.f_type == TMPFS_MAGIC) GTEST_SKIP() << folder.path() << " is on no disk";
  const auto file = open((folder / "data").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  // The same bytes over and over: it needs the disk's time and not its room.
  std::jthread writer{[file](const std::stop_token& over) {
    const std::string block(4 << 20, 'x');
    while (!over.stop_requested())
      if (pwrite(file, block.data(), block.size(), 0) < 0 || fsync(file) != 0) return;
  }};
  agent_.configure(
      "checks:\n  - {name: disks, type: disk_io, every: 200ms, devices: \"*\", critical: "
      "write_bytes_per_second > 4MB, clear: write_bytes_per_second < 4MB}\n",
      "  recover_hold: 100ms\n");
  agent_.start();
  const auto open = agent_.wait_for_incident("disks", "open");
  EXPECT_THAT(text_at(open, "title"),
              HasSubstr("CRITICAL: disks on web-1: write_bytes_per_second "));
  EXPECT_EQ(text_at(open, "summary", "component"), "disks");
  const auto all = told(open);
  EXPECT_THAT(all, HasSubstr(" in flight, reads "));
  const auto at = all.find("Most storage io: ");
  ASSERT_NE(at, std::string::npos) << all;
  EXPECT_THAT(all.substr(at), HasSubstr(" (" + std::to_string(getpid()) + ") "));
  writer.request_stop();
  writer.join();
  close(file);
  agent_.wait_for_incident("disks", "resolved");
}

TEST_F(ThisHost, TellsWhoKeepsItsClockWhenItIsOff) {
  timex kept{};
  if (adjtimex(&kept) < 0) GTEST_SKIP() << "adjtimex is not allowed here";
  agent_.configure(
      "checks:\n  - {name: clock, type: clock, every: 500ms, critical: maximum_error_seconds > "
      "0s}\n");
  agent_.start();
  const auto open = agent_.wait_for_incident("clock", "open");
  EXPECT_THAT(text_at(open, "title"),
              HasSubstr("CRITICAL: clock on web-1: maximum_error_seconds "));
  EXPECT_EQ(text_at(open, "summary", "component"), "clock");
  const auto detail = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(detail, HasSubstr("maximum error "));
  EXPECT_THAT(detail, AnyOf(HasSubstr("No time daemon runs"), HasSubstr("Running: ")));
}

}  // namespace
}  // namespace tocsin::integration
