#include <gmock/gmock.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_notifier.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/slack.hpp"
#include "tests/unit/notify/stage.hpp"

// The whole life of an issue channel against a Slack that behaves like Slack, with every answer
// lost in every way.
namespace tocsin::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using fakes::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SlackLane : public ::testing::Test {
 protected:
  SlackLane() {
    network_.route("slack.com", 443, slack_);
    options_.token = Secret{std::string{fakes::FakeSlack::bot_token}};
    restart();
  }

  /// A new process: nothing remembered.
  void restart() { notifier_ = std::make_unique<SlackNotifier>(network_, clock_, options_); }

  /// Tries as the outbox would, until the effect is settled; what was in doubt stays in doubt.
  Delivery settle(DraftBody body) {
    auto draft = draft_of(std::move(body), channel_, clock_.wall(), ++entry_);
    for (int tries = 0;; ++tries) {
      draft.channel = channel_;
      auto delivery = attempt(loop_, clock_, *notifier_, draft);
      const auto* retry = std::get_if<Retry>(&delivery);
      if (!retry || tries == 20) return delivery;
      draft.ambiguous = draft.ambiguous || retry->ambiguous;
      clock_.advance(std::max(Duration{1s}, retry->no_sooner.value_or(Duration{0})));
    }
  }
  /// The same, for what must succeed; keeps what it told, as the engine does.
  Delivered deliver(DraftBody body) {
    auto delivery = settle(std::move(body));
    if (!std::holds_alternative<Delivered>(delivery)) {
      ADD_FAILURE() << class_of(delivery) << ": " << texts_of(delivery);
      return {};
    }
    auto delivered = std::get<Delivered>(delivery);
    if (!delivered.channel_id.empty()) {
      channel_.id = delivered.channel_id;
      channel_.name = delivered.channel_name;
      channel_.url = delivered.channel_url;
      channel_.thread = delivered.thread;
    }
    return delivered;
  }
  void put_summary() { channel_.summary_message = deliver(sample_summary()).message; }

  void live_and_archive() {
    deliver(sample_channel());
    deliver(DraftSetPurpose{"Issue channel. tocsin:01jd3k7m-x7q2p"});
    deliver(DraftSetTopic{"nginx on web-1: up 0 < 1 | SRE @sre | developer @platform"});
    put_summary();
    deliver(DraftPin{});
    deliver(DraftBookmark{"Runbook", "https://runbooks.example.com/nginx"});
    deliver(DraftInvite{{"@sre", jane()}});
    deliver(DraftPost{"escalated to managers"});
    put_summary();
    deliver(DraftArchive{});
  }
  std::string jane() const {
    for (const auto& user : slack_.workspace().users) {
      if (!user.email.empty() && !user.deactivated && !user.bot) return user.email;
    }
    return {};
  }

  std::vector<const fakes::SlackChannel*> issue_channels() const {
    std::vector<const fakes::SlackChannel*> found;
    for (const auto& channel : slack_.workspace().channels) {
      if (channel.name.starts_with("issue-")) found.push_back(&channel);
    }
    return found;
  }
  /// Messages of ours, without what Slack notes of joining and topics.
  static std::vector<std::string> said_in(const fakes::SlackChannel& channel) {
    std::vector<std::string> texts;
    for (const auto& message : channel.messages) {
      if (message.subtype.empty()) texts.push_back(message.text);
    }
    return texts;
  }
  fakes::SlackChannel& add_channel(std::string name, std::string creator) {
    fakes::SlackChannel channel;
    channel.id = slack_.workspace().new_id("C");
    channel.name = std::move(name);
    channel.creator = creator;
    channel.created =
        std::chrono::floor<std::chrono::seconds>(clock_.wall()).time_since_epoch().count();
    channel.members = {std::move(creator)};
    slack_.workspace().channels.push_back(std::move(channel));
    return slack_.workspace().channels.back();
  }

  asio::io_context loop_{};
  fakes::ManualClock clock_{};
  fakes::FakeNetwork network_{clock_};
  fakes::FakeSlack slack_{[this] { return clock_.now(); }};
  SlackOptions options_{};
  std::unique_ptr<SlackNotifier> notifier_{};
  Channel channel_{};
  std::uint64_t entry_{0};
};

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
      slack_.workspace().channels.erase(
          std::remove_if(slack_.workspace().channels.begin(), slack_.workspace().channels.end(),
                         [](const fakes::SlackChannel& channel) {
                           return channel.name.starts_with("issue-");
                         }),
          slack_.workspace().channels.end());
      slack_.faults().clear();
      channel_ = {};
      restart();
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
