#include <gmock/gmock.h>

#include "tests/unit/notify/slack_lane.hpp"

// The whole life of an issue channel, with every answer lost in every way.
namespace tocsin::notify {
namespace {

using namespace testing;
using fakes::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(SlackLane, LivesAndIsArchived) {
  deliver(sample_channel());
  EXPECT_EQ(channel_.name, "issue-nginx-2211");
  EXPECT_EQ(channel_.url, "https://fake-workspace.slack.com/archives/" + channel_.id);
  deliver(DraftSetPurpose{"Issue channel. tocsin:01jd3k7m-x7q2p"});
  deliver(DraftSetTopic{"nginx: up 0 < 1 <!channel>"});
  put_summary();
  deliver(DraftPin{});
  deliver(DraftBookmark{"Runbook", "https://runbooks.example.com/nginx"});
  const auto invited =
      deliver(DraftInvite{{"@sre", jane(), "nobody@example.com", "@ghosts", "bob"}});
  EXPECT_THAT(invited.notes, SizeIs(3));
  deliver(DraftPost{"a < b & <!channel>"});
  const auto first_summary = channel_.summary_message;
  put_summary();
  EXPECT_EQ(channel_.summary_message, first_summary) << "the summary is edited in place";

  const auto* channel = slack_.channel("issue-nginx-2211");
  ASSERT_NE(channel, nullptr);
  EXPECT_EQ(channel->purpose.value, "Issue channel. tocsin:01jd3k7m-x7q2p");
  EXPECT_EQ(channel->topic.value, "nginx: up 0 < 1 ‹!channel>");
  EXPECT_THAT(channel->pins, ElementsAre(first_summary));
  EXPECT_THAT(channel->bookmarks, SizeIs(1));
  EXPECT_GE(channel->members.size(), 2u);
  EXPECT_THAT(said_in(*channel),
              ElementsAre("CRITICAL · nginx on web-1", "a &lt; b &amp; &lt;!channel&gt;"));
  EXPECT_EQ(channel->message(first_summary)->edits, 1);
  deliver(DraftArchive{});
  EXPECT_TRUE(slack_.channel("issue-nginx-2211")->archived);
  deliver(DraftArchive{});
}

struct Loss {
  std::string operation;
  Fault::Kind kind;
  int status{500};
  std::string error{};
};

std::vector<Loss> losses() {
  std::vector<Loss> all;
  for (const std::string operation :
       {"conversations.create", "conversations.setPurpose", "conversations.setTopic",
        "chat.postMessage", "pins.add", "bookmarks.add", "conversations.invite", "usergroups.list",
        "users.lookupByEmail", "chat.update", "conversations.archive", "auth.test"}) {
    for (const auto kind : {Fault::Kind::hang, Fault::Kind::cut_before, Fault::Kind::cut_after,
                            Fault::Kind::slow_body, Fault::Kind::huge_body, Fault::Kind::not_json,
                            Fault::Kind::status}) {
      all.push_back({operation, kind, 503, {}});
    }
    all.push_back({operation, Fault::Kind::late_error, 500, {}});
    all.push_back({operation, Fault::Kind::late_error, 200, "fatal_error"});
    all.push_back({operation, Fault::Kind::error, 200, "internal_error"});
    all.push_back({operation, Fault::Kind::error, 200, "ratelimited"});
  }
  return all;
}

TEST_F(SlackLane, WhateverIsLostNothingIsDoubled) {
  for (const auto& loss : losses()) {
    for (const std::uint64_t times : {1u, 3u}) {
      SCOPED_TRACE(loss.operation + " " + std::string{fakes::to_string(loss.kind)} + " " +
                   loss.error + " x" + std::to_string(times));
      forget_issue_channels();
      Fault fault;
      fault.operation = loss.operation;
      fault.kind = loss.kind;
      fault.status = loss.status;
      fault.error = loss.error;
      fault.times = times;
      slack_.faults().add(fault);
      live_and_archive();

      const auto channels = issue_channels();
      ASSERT_THAT(channels, SizeIs(1));
      EXPECT_TRUE(channels[0]->archived);
      EXPECT_EQ(channels[0]->name, "issue-nginx-2211");
      EXPECT_THAT(said_in(*channels[0]),
                  ElementsAre("CRITICAL · nginx on web-1", "escalated to managers"));
      EXPECT_THAT(channels[0]->pins, SizeIs(1));
      EXPECT_THAT(channels[0]->bookmarks, SizeIs(1));
      EXPECT_EQ(channels[0]->purpose.value, "Issue channel. tocsin:01jd3k7m-x7q2p");
    }
  }
}

TEST_F(SlackLane, InAnyWeatherNothingIsDoubled) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    forget_issue_channels();
    slack_.faults().seed(seed);
    for (const auto kind : {Fault::Kind::hang, Fault::Kind::cut_before, Fault::Kind::cut_after,
                            Fault::Kind::slow_body, Fault::Kind::not_json, Fault::Kind::late_error,
                            Fault::Kind::status}) {
      Fault fault;
      fault.kind = kind;
      fault.times = 0;
      fault.chance = 0.06;
      slack_.faults().add(fault);
    }
    restarts_ = seed % 2 == 0;
    if (seed % 3 == 0) add_channel("issue-nginx-2211", "U0FAKEJANE").archived = true;
    live_and_archive();
    auto channels = issue_channels();
    std::erase_if(channels, [](const auto* channel) {
      return channel->creator != fakes::FakeSlack::bot_user;
    });
    ASSERT_THAT(channels, SizeIs(1));
    EXPECT_TRUE(channels[0]->archived);
    EXPECT_THAT(said_in(*channels[0]),
                ElementsAre("CRITICAL · nginx on web-1", "escalated to managers"));
    EXPECT_THAT(channels[0]->bookmarks, SizeIs(1));
    EXPECT_THAT(channels[0]->pins, SizeIs(1));
  }
}

}  // namespace
}  // namespace tocsin::notify
