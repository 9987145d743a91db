// What checks keep across restarts.
#include "agent/app/check_memories.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tocsin/base/limits.hpp"

namespace tocsin::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckMemoriesTest : public ::testing::Test {
 protected:
  std::vector<CheckMemory> written_;
  CheckMemories memories_{{{"mail", "3 probes"}},
                          [this](CheckMemory one) { written_.push_back(std::move(one)); }};
};

TEST_F(CheckMemoriesTest, GivesBackWhatWasKept) {
  EXPECT_EQ(memories_.of("mail").recall(), "3 probes");
  EXPECT_EQ(memories_.of("log").recall(), "");
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(CheckMemoriesTest, WritesWhatChangedOnly) {
  auto& log = memories_.of("log");
  EXPECT_TRUE(log.keep("offset 17"));
  EXPECT_TRUE(log.keep("offset 17"));
  EXPECT_EQ(log.recall(), "offset 17");
  EXPECT_THAT(written_, ElementsAre(CheckMemory{"log", "offset 17"}));
}

TEST_F(CheckMemoriesTest, IsBoundedAndKeepsWhatItHad) {
  const auto refused = memories_.of("mail").keep(std::string(limits::check_memory_bytes + 1, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
  EXPECT_EQ(memories_.of("mail").recall(), "3 probes");
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(CheckMemoriesTest, ForgetsChecksThatAreNoMore) {
  ASSERT_TRUE(memories_.of("log").keep("offset 17"));
  memories_.retain({"log"});
  EXPECT_EQ(memories_.of("mail").recall(), "");
  EXPECT_EQ(memories_.of("log").recall(), "offset 17");
  EXPECT_EQ(written_.back(), (CheckMemory{"mail", ""}));
}

}  // namespace
}  // namespace tocsin::app
