#include <gmock/gmock.h>

#include "tests/unit/notify/slack_lane.hpp"

// What a workspace can put in an issue channel's way: names that are taken, rights that are
// missing, people who are not there, and Slack's pace.
namespace tocsin::notify {
namespace {

using namespace testing;
using fakes::Fault;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(SlackLane, AnArchivedChannelOfLastYearKeepsItsName) {
  auto& old = add_channel("issue-nginx-2211", "U0FAKEBOT");
  old.purpose.value = "tocsin:01aaaaaa-aaaaa";
  old.archived = true;
  add_channel("issue-nginx-2211-2", "U0FAKEJANE");
  deliver(sample_channel());
  EXPECT_EQ(channel_.name, "issue-nginx-2211-3");
}

TEST_F(SlackLane, AnotherIncidentsChannelIsNotAdopted) {
  auto& other = add_channel("issue-nginx-2211", "U0FAKEBOT");
  other.purpose.value = "tocsin:01jd3k7m-x7q2p9";  // Ours is a prefix of it.
  auto draft = draft_of(sample_channel(), {}, clock_.wall(), 1);
  draft.ambiguous = true;
  const auto delivery = attempt(loop_, clock_, *notifier_, draft);
  ASSERT_EQ(class_of(delivery), "delivered");
  EXPECT_EQ(std::get<Delivered>(delivery).channel_name, "issue-nginx-2211-2");
}

TEST_F(SlackLane, AChannelThatWasOursBeforeIsNotAdoptedWithoutTheMarker) {
  add_channel("issue-nginx-2211", "U0FAKEBOT");
  clock_.advance(25h);
  auto draft = draft_of(sample_channel(), {}, clock_.wall(), 1);
  draft.ambiguous = true;
  const auto delivery = attempt(loop_, clock_, *notifier_, draft);
  EXPECT_EQ(std::get<Delivered>(delivery).channel_name, "issue-nginx-2211-2");
}

TEST_F(SlackLane, AMarkedChannelThatIsArchivedCannotBeHadBack) {
  auto& ours = add_channel("issue-nginx-2211", "U0FAKEBOT");
  ours.purpose.value = "tocsin:01jd3k7m-x7q2p";
  ours.archived = true;
  deliver(sample_channel());
  EXPECT_EQ(channel_.name, "issue-nginx-2211-2");
}

TEST_F(SlackLane, AMarkedChannelIsAdoptedEvenWhenNothingIsInDoubt) {
  auto& ours = add_channel("issue-nginx-2211", "U0FAKEBOT");
  ours.purpose.value = "Issue channel. tocsin:01jd3k7m-x7q2p";
  const auto id = ours.id;
  deliver(sample_channel());
  EXPECT_EQ(channel_.id, id);
  EXPECT_THAT(issue_channels(), SizeIs(1));
}

TEST_F(SlackLane, AnUnmarkedChannelOfALostAttemptIsAdoptedAndMarkedAtOnce) {
  auto draft = draft_of(sample_channel(), {}, clock_.wall(), 1);
  add_channel("issue-nginx-2211", "U0FAKEJANE");
  auto& ours = add_channel("issue-nginx-2211-2", "U0FAKEBOT");
  const auto id = ours.id;
  clock_.advance(10min);
  draft.ambiguous = true;
  const auto delivery = attempt(loop_, clock_, *notifier_, draft);
  ASSERT_EQ(class_of(delivery), "delivered") << texts_of(delivery);
  EXPECT_EQ(std::get<Delivered>(delivery).channel_id, id);
  EXPECT_THAT(slack_.channel("issue-nginx-2211-2")->purpose.value,
              HasSubstr("tocsin:01jd3k7m-x7q2p"));
}

TEST_F(SlackLane, AWorkspaceOfManyPagesIsReadToItsEnd) {
  for (int i = 0; i < 60; ++i) add_channel("general-" + std::to_string(i), "U0FAKEJANE");
  auto& ours = add_channel("issue-nginx-2211", "U0FAKEBOT");
  ours.purpose.value = "tocsin:01jd3k7m-x7q2p";
  const auto id = ours.id;
  fakes::FakeSlack::Options few;
  few.page_most = 1;  // More pages than one attempt may read within its deadline and Slack's pace.
  slack_.set_options(few);
  deliver(sample_channel());
  EXPECT_EQ(channel_.id, id);
}

TEST_F(SlackLane, ForbiddenCreationBecomesAThread) {
  fakes::FakeSlack::Options strict;
  strict.may_create = false;
  slack_.set_options(strict);
  options_.fallback_channel = "#sre";
  restart();
  const auto delivered = deliver(sample_channel());
  EXPECT_FALSE(channel_.thread.empty());
  EXPECT_EQ(channel_.name, "sre");
  EXPECT_THAT(delivered.notes, SizeIs(1));
  EXPECT_THAT(channel_.url, HasSubstr("/p"));
  deliver(DraftSetPurpose{"mine"});
  deliver(DraftSetTopic{"mine"});
  put_summary();
  deliver(DraftPin{});
  deliver(DraftBookmark{"Runbook", "https://runbooks.example.com/nginx"});
  deliver(DraftInvite{{"@sre"}});
  deliver(DraftPost{"hello"});
  deliver(DraftArchive{});
  const auto* sre = slack_.channel("sre");
  EXPECT_FALSE(sre->archived);
  EXPECT_NE(sre->topic.value, "mine");
  EXPECT_NE(sre->purpose.value, "mine");
  EXPECT_THAT(sre->pins, IsEmpty());
  EXPECT_THAT(said_in(*sre), SizeIs(3));
  for (const auto& message : sre->messages) {
    if (!message.subtype.empty() || message.ts == channel_.thread) continue;
    EXPECT_EQ(message.thread_ts, channel_.thread);
  }
}

TEST_F(SlackLane, ALostThreadHeadlineIsFoundAgain) {
  fakes::FakeSlack::Options strict;
  strict.may_create = false;
  slack_.set_options(strict);
  options_.fallback_channel = "sre";
  restart();
  for (const std::string operation :
       {"chat.postMessage", "conversations.create", "conversations.list"}) {
    SCOPED_TRACE(operation);
    slack_.channel("sre");
    slack_.workspace().channel_named("sre")->messages.clear();
    channel_ = {};
    Fault fault;
    fault.operation = operation;
    fault.kind = Fault::Kind::cut_after;
    slack_.faults().add(fault);
    deliver(sample_channel());
    deliver(DraftPost{"one"});
    Fault again = fault;
    again.operation = "chat.postMessage";
    slack_.faults().add(again);
    deliver(DraftPost{"two"});
    EXPECT_THAT(said_in(*slack_.channel("sre")), SizeIs(3));
  }
}

TEST_F(SlackLane, WithoutAFallbackForbiddenCreationIsRejectedWithAWayOut) {
  fakes::FakeSlack::Options strict;
  strict.may_create = false;
  slack_.set_options(strict);
  const auto delivery = settle(sample_channel());
  ASSERT_EQ(class_of(delivery), "rejected");
  EXPECT_THAT(texts_of(delivery), HasSubstr("slack.fallback_channel"));
  EXPECT_EQ(class_of(settle(DraftPost{"x"})), "rejected") << "there is no channel to post to";
}

TEST_F(SlackLane, AFallbackThatIsNotThereIsNamed) {
  fakes::FakeSlack::Options strict;
  strict.may_create = false;
  slack_.set_options(strict);
  options_.fallback_channel = "nowhere";
  restart();
  EXPECT_THAT(texts_of(settle(sample_channel())), HasSubstr("#nowhere is not there"));
}

TEST_F(SlackLane, AChannelThatSomebodyArchivedIsSaidSo) {
  deliver(sample_channel());
  slack_.workspace().channel(channel_.id)->archived = true;
  const std::vector<DraftBody> bodies{DraftPost{"x"}, DraftSetTopic{"x"}, sample_summary(),
                                      DraftInvite{{"@sre"}}};
  for (const auto& body : bodies) {
    const auto delivery = settle(body);
    EXPECT_EQ(class_of(delivery), "rejected");
    EXPECT_THAT(texts_of(delivery), HasSubstr("#issue-nginx-2211"));
  }
}

TEST_F(SlackLane, ABotThatWasPutOutComesBack) {
  deliver(sample_channel());
  slack_.workspace().channel(channel_.id)->members.clear();
  deliver(DraftSetTopic{"back"});
  EXPECT_EQ(slack_.channel("issue-nginx-2211")->topic.value, "back");
}

TEST_F(SlackLane, ADeletedSummaryIsPostedAnew) {
  deliver(sample_channel());
  put_summary();
  const auto first = channel_.summary_message;
  slack_.workspace().channel(channel_.id)->messages.clear();
  put_summary();
  EXPECT_NE(channel_.summary_message, first);
  EXPECT_THAT(said_in(*slack_.channel("issue-nginx-2211")), SizeIs(1));
}

TEST_F(SlackLane, RefusedBlocksAreSentAsText) {
  deliver(sample_channel());
  for (const std::string error : {"invalid_blocks", "msg_blocks_too_long", "metadata_too_large"}) {
    channel_.summary_message.clear();
    slack_.workspace().channel(channel_.id)->messages.clear();
    Fault fault;
    fault.operation = "chat.postMessage";
    fault.kind = Fault::Kind::error;
    fault.error = error;
    slack_.faults().add(fault);
    put_summary();
    const auto said = said_in(*slack_.channel("issue-nginx-2211"));
    ASSERT_THAT(said, SizeIs(1));
    EXPECT_THAT(said[0], HasSubstr("Component responsible: nginx"));
  }
}

TEST_F(SlackLane, TheTiersAreKeptSoThatSlackNeverHasToSayNo) {
  fakes::FakeSlack::Options limited;
  limited.rate_limits = true;
  slack_.set_options(limited);
  deliver(sample_channel());
  put_summary();
  for (int i = 0; i < 40; ++i) deliver(DraftPost{"line " + std::to_string(i)});
  for (int i = 0; i < 30; ++i) deliver(DraftSetTopic{"topic " + std::to_string(i)});
  std::size_t refused = 0;
  for (const auto& seen : network_.seen()) refused += seen.status == 429 ? 1 : 0;
  EXPECT_EQ(refused, 0u);
  EXPECT_THAT(said_in(*slack_.channel("issue-nginx-2211")), SizeIs(41));
}

TEST_F(SlackLane, AllInvitedAtOnceAreAtMostAHundred) {
  deliver(sample_channel());
  auto& workspace = slack_.workspace();
  std::vector<std::string> crowd;
  for (int i = 0; i < 230; ++i) {
    fakes::SlackUser user;
    user.id = workspace.new_id("U");
    user.name = "user" + std::to_string(i);
    crowd.push_back(user.id);
    workspace.users.push_back(std::move(user));
  }
  deliver(DraftInvite{crowd});
  EXPECT_EQ(slack_.channel("issue-nginx-2211")->members.size(), 231u);
}

TEST_F(SlackLane, WhoIsThereAlreadyIsNoFailure) {
  deliver(sample_channel());
  deliver(DraftInvite{{"@sre"}});
  const auto again = deliver(DraftInvite{{"@sre"}});
  EXPECT_THAT(again.notes, IsEmpty());
}

TEST_F(SlackLane, APinThatSlackKeepsFailingIsGivenUpForTheLanesSake) {
  deliver(sample_channel());
  put_summary();
  Fault fault;
  fault.operation = "pins.add";
  fault.kind = Fault::Kind::error;
  fault.error = "internal_error";
  fault.times = 0;
  slack_.faults().add(fault);
  auto draft = draft_of(DraftPin{}, channel_, clock_.wall());
  EXPECT_EQ(class_of(attempt(loop_, clock_, *notifier_, draft)), "retry, perhaps done");
  clock_.advance(11min);
  EXPECT_EQ(class_of(attempt(loop_, clock_, *notifier_, draft)), "rejected");
  slack_.faults().set_down(true);
  EXPECT_EQ(class_of(attempt(loop_, clock_, *notifier_, draft)), "retry")
      << "a Slack that is down is waited for";
}

TEST_F(SlackLane, TwoIncidentsOfOneNameDoNotRace) {
  network_.set_latency(1s);
  std::optional<Delivery> first;
  asio::co_spawn(loop_,
                 keep(notifier_->deliver(draft_of(sample_channel(), {}, clock_.wall(), 1),
                                         clock_.steady() + 20s),
                      first),
                 [](std::exception_ptr) {});
  fakes::settle(loop_);
  const auto second =
      attempt(loop_, clock_, *notifier_, draft_of(sample_channel(), {}, clock_.wall(), 2));
  ASSERT_TRUE(std::holds_alternative<Retry>(second));
  EXPECT_FALSE(std::get<Retry>(second).attempted);
  fakes::run_for(loop_, clock_, 10s);
  ASSERT_TRUE(first);
  EXPECT_EQ(class_of(*first), "delivered");
}

}  // namespace
}  // namespace tocsin::notify
