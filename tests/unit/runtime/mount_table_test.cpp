#include "agent/runtime/mount_table.hpp"

#include <gtest/gtest.h>

namespace tocsin::runtime {
namespace {

TEST(MountTable, TrustsTypesThatAnswerFromMemory) {
  const auto safe = mounts_that_answer(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "23 22 0:5 / /run rw - tmpfs tmpfs rw\n"
      "24 22 0:6 / /mnt/with\\040space rw master:2 propagate_from:3 - xfs /dev/sdb rw\n"
      "25 22 0:7 / /mnt/nfs rw - nfs4 server:/export rw\n"
      "26 25 8:3 / /mnt/nfs/disk rw - ext4 /dev/sdc rw\n"
      "27 22 8:4 / /mnt/nfs2 rw - ext4 /dev/sdd rw\n"
      "28 22 0:9 / /home rw - autofs systemd-1 rw\n"
      "29 28 8:5 / /home/jane rw - ext4 /dev/sde rw\n"
      "30 22 0:10 / /fuse rw - fuse.sshfs jane@host: rw\n");
  EXPECT_EQ(safe, (std::set<std::string>{"/", "/run", "/mnt/with space", "/mnt/nfs2"}));
}

TEST(MountTable, TheLastMountOnAPointCounts) {
  EXPECT_TRUE(
      mounts_that_answer("1 0 8:1 / /a rw - ext4 x rw\n2 1 0:2 / /a rw - nfs y rw\n").empty());
  EXPECT_EQ(mounts_that_answer("1 0 0:2 / /a rw - nfs y rw\n2 1 8:1 / /a rw - ext4 x rw\n").size(),
            1u);
}

TEST(MountTable, TrustsNothingItCannotRead) {
  EXPECT_TRUE(mounts_that_answer("").empty());
  EXPECT_TRUE(mounts_that_answer("garbage\n1 2 3 4 /a\n1 2 3 / /a rw -\n- - - - - - -\n").empty());
  MountTable table{"/no/such/file"};
  EXPECT_FALSE(table.answers("/"));
}

TEST(MountTable, KnowsProcOfThisHost) {
  MountTable table;
  EXPECT_TRUE(table.answers("/proc"));
  EXPECT_FALSE(table.answers("/proc/self")) << "not a mount point";
}

}  // namespace
}  // namespace tocsin::runtime
