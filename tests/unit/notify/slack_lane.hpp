#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/notify/slack_notifier.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/slack.hpp"
#include "tests/unit/notify/stage.hpp"

namespace tocsin::notify::testing {

using namespace std::chrono_literals;

/// An issue channel's lane against a Slack that behaves like Slack.
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
      if (!retry || tries == 40) return delivery;
      draft.ambiguous = draft.ambiguous || retry->ambiguous;
      if (restarts_) restart();
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
  void forget_issue_channels() {
    std::erase_if(slack_.workspace().channels, [](const fakes::SlackChannel& channel) {
      return channel.name.starts_with("issue-");
    });
    slack_.faults().clear();
    channel_ = {};
    restart();
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
  bool restarts_{false};  ///< A new process for every further attempt.
};

}  // namespace tocsin::notify::testing
