#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::notify {

/// How often something may happen: `burst` at once, then one every `interval`.
struct Pace {
  Duration interval{};
  int burst{1};
};

/// A token bucket kept as one instant (the generic cell rate algorithm), and a pause that the other
/// side asked for.
class Bucket {
 public:
  explicit Bucket(Pace pace) : pace_{pace} {}
  /// When the next call may go; not in the future when it may go now.
  SteadyTime ready_at() const;
  void spend(SteadyTime now);
  /// Nothing goes before `until`. A later pause wins over an earlier one.
  void pause(SteadyTime until);
  /// Full again and not paused: forgetting it changes nothing.
  bool idle(SteadyTime now) const { return full_at_ <= now && paused_until_ <= now; }

 private:
  Pace pace_;
  SteadyTime full_at_{SteadyTime::min()};
  SteadyTime paused_until_{SteadyTime::min()};
};

/// Slack's limits as the method pages give them, each a floor that Slack promises per minute,
/// workspace and app.
enum class Tier {
  one,      ///< 1 a minute.
  two,      ///< 20 a minute.
  three,    ///< 50 a minute.
  four,     ///< 100 a minute.
  special,  ///< Not published as a number, generous; chat.postMessage is limited by channel
            ///< besides.
};
Pace pace_of(Tier tier);

/// The methods that tocsin calls.
enum class SlackMethod {
  auth_test,
  conversations_create,
  conversations_list,
  conversations_info,
  conversations_history,
  conversations_replies,
  conversations_invite,
  conversations_join,
  conversations_set_topic,
  conversations_set_purpose,
  conversations_archive,
  chat_post_message,
  chat_update,
  pins_add,
  bookmarks_add,
  bookmarks_list,
  users_lookup_by_email,
  usergroups_list,
  usergroups_users_list,
};
struct SlackMethodFacts {
  SlackMethod method;
  std::string_view name;  ///< As in the URL.
  Tier tier;
  bool by_channel;  ///< Counts against its channel too: about one message a second.
};
inline constexpr std::size_t slack_methods = 19;
/// All of them, in the order of the enum. Source of the tiers: the method reference pages of
/// docs.slack.dev.
const std::array<SlackMethodFacts, slack_methods>& slack_method_facts();
const SlackMethodFacts& facts_of(SlackMethod method);

/// Keeps calls within the pace of their method and, for messages, of their channel. A pause asked
/// for by Slack holds back that method (and channel) only. One loop.
class SlackRateLimit {
 public:
  SlackRateLimit();
  /// When this call may go. `channel` may be empty.
  SteadyTime ready_at(SlackMethod method, const std::string& channel) const;
  /// Counts a call that goes now.
  void spend(SlackMethod method, const std::string& channel, SteadyTime now);
  /// Slack asked for `wait` from now on.
  void pause(SlackMethod method, const std::string& channel, SteadyTime now, Duration wait);
  /// Channels are forgotten once their bucket is full again; at most this many are kept.
  static constexpr std::size_t channels_max = 512;
  std::size_t channels() const noexcept { return channels_.size(); }

 private:
  Bucket& channel_bucket(const std::string& channel, SteadyTime now);

  std::map<SlackMethod, Bucket> methods_{};
  std::map<std::string, Bucket> channels_{};
};

}  // namespace tocsin::notify
