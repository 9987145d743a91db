#include "agent/notify/rate_limit.hpp"

#include <algorithm>
#include <chrono>

#include "tocsin/base/error.hpp"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

// chat.postMessage: one a second and channel, "short bursts" tolerated (rate limits page of
// docs.slack.dev).
constexpr Pace channel_pace{1s, 4};

constexpr std::array<SlackMethodFacts, slack_methods> facts{{
    {SlackMethod::auth_test, "auth.test", Tier::special, false},
    {SlackMethod::conversations_create, "conversations.create", Tier::two, false},
    {SlackMethod::conversations_list, "conversations.list", Tier::two, false},
    {SlackMethod::conversations_info, "conversations.info", Tier::three, false},
    {SlackMethod::conversations_history, "conversations.history", Tier::three, false},
    {SlackMethod::conversations_replies, "conversations.replies", Tier::three, false},
    {SlackMethod::conversations_invite, "conversations.invite", Tier::three, false},
    {SlackMethod::conversations_join, "conversations.join", Tier::three, false},
    {SlackMethod::conversations_set_topic, "conversations.setTopic", Tier::two, false},
    {SlackMethod::conversations_set_purpose, "conversations.setPurpose", Tier::two, false},
    {SlackMethod::conversations_archive, "conversations.archive", Tier::two, false},
    {SlackMethod::chat_post_message, "chat.postMessage", Tier::special, true},
    {SlackMethod::chat_update, "chat.update", Tier::three, true},
    {SlackMethod::pins_add, "pins.add", Tier::two, false},
    {SlackMethod::bookmarks_add, "bookmarks.add", Tier::two, false},
    {SlackMethod::bookmarks_list, "bookmarks.list", Tier::three, false},
    {SlackMethod::users_lookup_by_email, "users.lookupByEmail", Tier::three, false},
    {SlackMethod::usergroups_list, "usergroups.list", Tier::two, false},
    {SlackMethod::usergroups_users_list, "usergroups.users.list", Tier::two, false},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (static_cast<std::size_t>(facts[i].method) != i) return false;
  }
  return true;
}
static_assert(in_order(), "facts are found by the number of the method");

}  // namespace

SteadyTime Bucket::ready_at() const {
  if (full_at_ == SteadyTime::min()) return paused_until_;
  return std::max(paused_until_, full_at_ - pace_.interval * (pace_.burst - 1));
}

void Bucket::spend(SteadyTime now) { full_at_ = std::max(full_at_, now) + pace_.interval; }

void Bucket::pause(SteadyTime until) { paused_until_ = std::max(paused_until_, until); }

Pace pace_of(Tier tier) {
  // Half of the minute's share may go at once: Slack counts by the minute, and an outage comes with
  // a burst.
  switch (tier) {
    case Tier::one:
      return {60s, 1};
    case Tier::two:
      return {3s, 10};
    case Tier::three:
      return {1200ms, 25};
    case Tier::four:
      return {600ms, 50};
    case Tier::special:
      return {200ms, 50};
  }
  check_that(false, "a tier without a pace");
  return {};
}

const std::array<SlackMethodFacts, slack_methods>& slack_method_facts() { return facts; }

const SlackMethodFacts& facts_of(SlackMethod method) {
  return facts[static_cast<std::size_t>(method)];
}

SlackRateLimit::SlackRateLimit() {
  for (const auto& row : facts) methods_.emplace(row.method, Bucket{pace_of(row.tier)});
}

SteadyTime SlackRateLimit::ready_at(SlackMethod method, const std::string& channel) const {
  const auto ready = methods_.at(method).ready_at();
  if (!facts_of(method).by_channel || channel.empty()) return ready;
  const auto found = channels_.find(channel);
  return found == channels_.end() ? ready : std::max(ready, found->second.ready_at());
}

void SlackRateLimit::spend(SlackMethod method, const std::string& channel, SteadyTime now) {
  methods_.at(method).spend(now);
  if (facts_of(method).by_channel && !channel.empty()) channel_bucket(channel, now).spend(now);
}

void SlackRateLimit::pause(SlackMethod method, const std::string& channel, SteadyTime now,
                           Duration wait) {
  // A refused message says something of its channel, not of every channel.
  const bool of_channel = facts_of(method).by_channel && !channel.empty();
  auto& bucket = of_channel ? channel_bucket(channel, now) : methods_.at(method);
  bucket.pause(now + wait);
}

Bucket& SlackRateLimit::channel_bucket(const std::string& channel, SteadyTime now) {
  const auto found = channels_.find(channel);
  if (found != channels_.end()) return found->second;
  if (channels_.size() >= channels_max) {
    std::erase_if(channels_, [now](const auto& entry) { return entry.second.idle(now); });
  }
  // All busy at once: forgetting one costs at most a 429, growing without bound costs the process.
  if (channels_.size() >= channels_max) channels_.erase(channels_.begin());
  return channels_.emplace(channel, Bucket{channel_pace}).first->second;
}

}  // namespace tocsin::notify
