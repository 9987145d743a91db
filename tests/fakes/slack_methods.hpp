#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "tests/fakes/slack_workspace.hpp"

// FakeSlack's inside: one function a method. Tests include slack.hpp instead.
namespace tocsin::fakes::slack {

namespace json = boost::json;

/// What a workspace's owners have set, and how generous the fake is.
struct Rules {
  bool may_create{true};  ///< False: conversations.create answers restricted_action.
  std::size_t page_most{
      999};  ///< Pages hold at most so many items whatever was asked: Slack may return fewer.
};

/// One call to one method, its arguments as text whatever the encoding was.
struct Call {
  SlackWorkspace& workspace;
  const Rules& rules;
  std::map<std::string, std::string> arguments{};
  std::string user{};  ///< Whom the token speaks for.
  bool bot{true};
  bool may_post_anywhere{false};  ///< Has chat:write.public.
  WallTime now{};

  std::string_view get(const std::string& name) const;
  bool flag(const std::string& name) const;
};

/// {"ok":false,"error":CODE}
json::object refuse(std::string_view code);
json::object refuse(std::string_view code, const std::string& message);
json::object accept(json::object body = {});
void warn(json::object& answer, std::string_view code);
/// The rate at which Slack lets a method be called in one workspace.
enum class Tier {
  tier1,    ///< 1 a minute.
  tier2,    ///< 20 a minute.
  tier3,    ///< 50 a minute.
  tier4,    ///< 100 a minute.
  special,  ///< Each has its own: chat.postMessage about one a second in each channel.
};

struct Method {
  std::string_view name;
  json::object (*run)(Call&);
  Tier tier;
  bool takes_json;                         ///< False: form or query only.
  std::vector<std::string_view> scopes;    ///< One of these is needed; empty: none.
  std::vector<std::string_view> required;  ///< Arguments that must be present.
};
const std::vector<Method>& methods();
const Method* find_method(std::string_view name);

/// A page of something: where it begins, and how many. Cursors are opaque text.
struct Page {
  std::size_t from{0}, count{100};
  std::string_view fault{};  ///< invalid_cursor, invalid_limit.
};
Page page_of(const Call& call, std::size_t most);
std::string cursor_for(std::size_t from);

/// The channel by its id, if this caller may know of it.
SlackChannel* visible_channel(Call& call, const std::string& argument = "channel");
json::object show(const SlackChannel& channel, const Call& call);

/// The first thing wrong with a message's blocks: an error code, or empty.
std::string_view fault_in_blocks(std::string_view text);
/// Code points, which is what Slack's limits count.
std::size_t characters(std::string_view text);

json::object auth_test(Call& call);
json::object connections_open(Call& call);
json::object conversations_create(Call& call);
json::object conversations_list(Call& call);
json::object conversations_info(Call& call);
json::object conversations_set_topic(Call& call);
json::object conversations_set_purpose(Call& call);
json::object conversations_invite(Call& call);
json::object conversations_join(Call& call);
json::object conversations_members(Call& call);
json::object conversations_history(Call& call);
json::object conversations_replies(Call& call);
json::object conversations_archive(Call& call);
json::object conversations_unarchive(Call& call);
json::object conversations_rename(Call& call);
json::object chat_post_message(Call& call);
json::object chat_update(Call& call);
json::object chat_get_permalink(Call& call);
json::object pins_add(Call& call);
json::object pins_list(Call& call);
json::object bookmarks_add(Call& call);
json::object bookmarks_list(Call& call);
json::object users_lookup_by_email(Call& call);
json::object users_info(Call& call);
json::object usergroups_list(Call& call);
json::object usergroups_users_list(Call& call);

}  // namespace tocsin::fakes::slack
