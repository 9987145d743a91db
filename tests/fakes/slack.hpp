#pragma once

#include <map>
#include <string>

#include "tests/fakes/receiver.hpp"
#include "tests/fakes/slack_workspace.hpp"

namespace tocsin::fakes {

/// Slack's Web API below /api/, in memory: the methods an issue channel needs, with the vendor's
/// names for what is wrong. Arguments come in the query, as a form or as JSON; methods that take no
/// JSON refuse it rather than ignore it. Logical errors are HTTP 200. Known limits that the vendor
/// documents are enforced, and what practice has found: an archived channel keeps its name, and
/// archiving puts bots out.
class FakeSlack : public Receiver {
 public:
  struct Options {
    bool rate_limits{false};  ///< Enforce the tiers: 429 and Retry-After.
    bool may_create{
        true};  ///< False: creating channels is forbidden to the bot (restricted_action).
    std::size_t page_most{
        999};  ///< Pages hold at most so many items, whatever limit was asked for.
  };
  static constexpr std::string_view bot_token = "xoxb-fake-bot-token";
  static constexpr std::string_view user_token = "xoxp-fake-user-token";
  static constexpr std::string_view bot_user = "U0FAKEBOT";

  /// A workspace with a bot ("tocsin"), four people (Jane, Omar, Li, and Kim who is deactivated),
  /// the user groups sre and platform, and the channels general and sre. The bot is in sre.
  FakeSlack(TimeSource now, Options options);
  explicit FakeSlack(TimeSource now) : FakeSlack{std::move(now), Options{}} {}

  HttpReply handle(const HttpCall& call) override;
  std::string operation(const HttpCall& call) const override;
  HttpReply failing(const Fault& fault) const override;

  SlackWorkspace& workspace() { return workspace_; }
  const SlackWorkspace& workspace() const { return workspace_; }
  const SlackChannel* channel(std::string_view name) const;
  void set_options(Options options) { options_ = options; }
  /// A person writes into a channel; returns the message's id.
  std::string say(std::string_view channel_name, std::string_view user, std::string text);

 private:
  std::optional<Duration> throttled(const std::string& key, double per_minute, double burst);

  struct Bucket {
    double tokens{0};
    SteadyTime filled{};
  };
  TimeSource now_;
  Options options_;
  SlackWorkspace workspace_{};
  std::map<std::string, Bucket> buckets_{};
  std::uint64_t requests_{0};
};

}  // namespace tocsin::fakes
