#include "agent/runtime/host_files.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/runtime/host_identity.hpp"
#include "tests/fakes/fake_host.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::runtime {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class HostFilesTest : public testing::Test {
 protected:
  fakes::FixtureRoot root;
  RootedFiles files{root.folder()};
};

TEST_F(HostFilesTest, ReadsAFileAgainAndAgainThroughOneDescriptor) {
  root.write("/proc/loadavg", "0.10");
  const auto opened = files.open("/proc/loadavg");
  ASSERT_TRUE(opened);
  EXPECT_EQ(*(*opened)->read(), "0.10");
  root.write("/proc/loadavg", "12.34 and more");
  EXPECT_EQ(*(*opened)->read(), "12.34 and more");
  root.write("/proc/loadavg", "");
  EXPECT_EQ(*(*opened)->read(), "");
}

TEST_F(HostFilesTest, ReadsFilesOfAnySizeUpToTheBound) {
  const std::string most(limits::host_file_bytes, 'x');
  root.write("/big", most);
  const auto content = files.read("/big");
  ASSERT_TRUE(content);
  EXPECT_TRUE(*content == most);
  root.write("/big", most + "y");
  EXPECT_EQ(files.read("/big").error().code, Errc::too_large);
}

TEST_F(HostFilesTest, TellsMissingFromUnreadable) {
  root.make_folder("/folder");
  EXPECT_EQ(files.open("/no/such").error().code, Errc::missing);
  EXPECT_EQ(files.read("/folder").error().code, Errc::unreadable);
  EXPECT_EQ(files.list("/no/such").error().code, Errc::missing);
  EXPECT_EQ(files.read("relative").error().code, Errc::malformed);
  EXPECT_EQ(RootedFiles{"/no/such/root"}.read("/x").error().code, Errc::missing);
}

TEST_F(HostFilesTest, NeverLeavesItsRoot) {
  root.write("/etc/hostname", "inside");
  root.link("/absolute", "/etc/hostname");
  root.link("/upwards", "../../../../../../etc/hostname");
  root.link("/outside", "/usr/bin/env");
  EXPECT_EQ(*files.read("/absolute"), "inside");
  EXPECT_EQ(*files.read("/upwards"), "inside");
  EXPECT_EQ(*files.read("/../../../etc/hostname"), "inside");
  EXPECT_EQ(files.read("/outside").error().code, Errc::missing);
}

TEST_F(HostFilesTest, ListsAndReadsLinks) {
  root.write("/proc/1/stat", "");
  root.write("/proc/22/stat", "");
  root.link("/proc/1/exe", "/sbin/init");
  EXPECT_THAT(*files.list("/proc"), UnorderedElementsAre("1", "22"));
  EXPECT_THAT(*files.list("/proc/1"), UnorderedElementsAre("stat", "exe"));
  EXPECT_EQ(*files.read_link("/proc/1/exe"), "/sbin/init");
  EXPECT_EQ(files.read_link("/proc/1/none").error().code, Errc::missing);
}

TEST_F(HostFilesTest, CountsTheProcessorsOfItsRoot) {
  EXPECT_EQ(files.cpu_count(), 1);
  root.write("/proc/stat", "cpu  1 2\ncpu0 1 2\ncpu1 1 2\ncpu7 1 2\nintr 5\ncpufreq 1\n");
  EXPECT_EQ(files.cpu_count(), 3);
  EXPECT_GE(RootedFiles{}.cpu_count(), 1);
  EXPECT_GE(files.page_bytes(), 4096u);
  EXPECT_EQ(files.clock_ticks(), 100u);
}

TEST_F(HostFilesTest, AProcessThatEndedIsMissingEvenWhenItsFileWasOpen) {
  const RootedFiles host;
  const auto child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto opened = host.open("/proc/" + std::to_string(child) + "/stat");
  ASSERT_TRUE(opened);
  EXPECT_TRUE((*opened)->read());
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ((*opened)->read().error().code, Errc::missing);
}

TEST_F(HostFilesTest, ReadsFilesOfTheRealKernelWhole) {
  const RootedFiles host;
  const auto interrupts = host.read("/proc/stat");
  ASSERT_TRUE(interrupts);
  EXPECT_THAT(*interrupts, HasSubstr("softirq"));
}

TEST_F(HostFilesTest, IdentifiesTheHost) {
  EXPECT_FALSE(host_name().empty());
  EXPECT_EQ(boot_id(files).error().code, Errc::missing);
  root.write("/proc/sys/kernel/random/boot_id", "3e1f\n");
  EXPECT_EQ(*boot_id(files), "3e1f");
  root.write("/proc/sys/kernel/random/boot_id", "\n");
  EXPECT_EQ(boot_id(files).error().code, Errc::malformed);
}

}  // namespace
}  // namespace tocsin::runtime
