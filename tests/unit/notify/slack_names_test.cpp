#include "agent/notify/slack_names.hpp"

#include <gtest/gtest.h>

namespace tocsin::notify {
namespace {

TEST(Names, AreTakenApartAndPutTogether) {
  EXPECT_EQ(take_suffix("issue-nginx-2211").base, "issue-nginx-2211");
  EXPECT_EQ(take_suffix("issue-nginx-2211").number, 1);
  EXPECT_EQ(take_suffix("issue-nginx-2211-3").base, "issue-nginx-2211");
  EXPECT_EQ(take_suffix("issue-nginx-2211-3").number, 3);
  EXPECT_EQ(take_suffix("issue-web-12").base, "issue-web-12");
  EXPECT_EQ(take_suffix("").base, "");
  EXPECT_EQ(take_suffix("-1").base, "-1");
  EXPECT_EQ(with_suffix("issue-nginx-2211", 1), "issue-nginx-2211");
  EXPECT_EQ(with_suffix("issue-nginx-2211", 12), "issue-nginx-2211-12");
  EXPECT_EQ(with_suffix(std::string(80, 'x'), 2).size(), 80u);
}

TEST(Markers, AreComparedWhole) {
  EXPECT_TRUE(has_marker("Issue channel. tocsin:01jd3k7m-x7q2p", "tocsin:01jd3k7m-x7q2p"));
  EXPECT_TRUE(has_marker("(tocsin:01jd3k7m-x7q2p)", "tocsin:01jd3k7m-x7q2p"));
  EXPECT_FALSE(has_marker("tocsin:01jd3k7m-x7q2pz", "tocsin:01jd3k7m-x7q2p"));
  EXPECT_FALSE(has_marker("anything", ""));
  EXPECT_TRUE(has_other_marker("tocsin:01jd3k7m-x7q2pz", "tocsin:01jd3k7m-x7q2p"));
  EXPECT_FALSE(has_other_marker("a channel of ours", "tocsin:01jd3k7m-x7q2p"));
}

TEST(ChannelIds, AreToldFromNames) {
  EXPECT_TRUE(looks_like_channel_id("C024BE91L"));
  EXPECT_FALSE(looks_like_channel_id("sre"));
  EXPECT_FALSE(looks_like_channel_id("C1"));
  EXPECT_FALSE(looks_like_channel_id("c024be91l"));
}

}  // namespace
}  // namespace tocsin::notify
