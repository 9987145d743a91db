#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/time.hpp"

// A Slack workspace as plain data: what FakeSlack's methods work on, and what tests look at.
namespace tocsin::fakes {

struct SlackUser {
  std::string id{}, name{}, email{};
  bool bot{false};
  bool deactivated{false};
};

struct SlackUserGroup {
  std::string id{}, handle{}, name{};
  std::vector<std::string> users{};
  bool disabled{false};
};

struct SlackToken {
  std::string token{};
  std::string user{};              ///< Whom it speaks for; empty for an app-level token (xapp-).
  std::set<std::string> scopes{};  ///< Empty: every scope.
  bool revoked{false};
};

struct SlackMessage {
  std::string ts{};  ///< The message's id within its channel.
  std::string user{}, text{}, subtype{}, thread_ts{};
  std::string blocks{}, metadata{};  ///< JSON text, or empty.
  int edits{0};
};

struct SlackBookmark {
  std::string id{}, title{}, link{}, emoji{};
  std::int64_t created{0};
};

struct SlackText {
  std::string value{}, creator{};
  std::int64_t last_set{0};
};

struct SlackChannel {
  std::string id{}, name{}, creator{};
  std::int64_t created{0};     ///< Seconds.
  std::int64_t updated_ms{0};  ///< Milliseconds: Slack mixes the two.
  bool archived{false}, is_private{false}, general{false};
  SlackText topic{}, purpose{};
  std::vector<std::string> members{}, previous_names{}, pins{};  ///< Pins are message ids.
  std::vector<SlackMessage> messages{};  ///< Oldest first, threads included.
  std::vector<SlackBookmark> bookmarks{};

  bool has_member(std::string_view user) const;
  SlackMessage* message(std::string_view ts);
  const SlackMessage* message(std::string_view ts) const;
};

struct SlackWorkspace {
  std::string team_id{"T0FAKETEAM"}, team{"Fake Workspace"},
      url{"https://fake-workspace.slack.com/"};
  std::vector<SlackUser> users{};
  std::vector<SlackUserGroup> groups{};
  std::vector<SlackToken> tokens{};
  std::vector<SlackChannel> channels{};  ///< In order of creation; archived ones stay.
  std::uint64_t ids_given{0};
  std::int64_t last_ts{0};  ///< Microseconds; message ids never repeat.

  SlackUser* user(std::string_view id);
  SlackChannel* channel(std::string_view id);
  SlackChannel* channel_named(std::string_view name);
  const SlackToken* token(std::string_view text) const;
  std::string new_id(std::string_view prefix);
  std::string new_ts(WallTime now);
  /// A line that Slack itself writes into a channel ("set the channel topic: …").
  void note(SlackChannel& channel, std::string_view user, std::string_view subtype,
            std::string text, WallTime now);
};

std::int64_t unix_seconds(WallTime time);

}  // namespace tocsin::fakes
