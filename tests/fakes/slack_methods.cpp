#include "tests/fakes/slack_methods.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>

namespace tocsin::fakes::slack {
namespace {

constexpr std::string_view cursor_mark = "bmV4dDo";  // Opaque to callers, recognisable to us.

bool number(std::string_view text, std::size_t& into) {
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
  return problem == std::errc{} && rest == text.data() + text.size();
}

using List = std::vector<std::string_view>;
const List manage{"channels:manage", "groups:write", "im:write", "mpim:write", "channels:write"};
const List read{"channels:read", "groups:read", "im:read", "mpim:read"};
const List topic{"channels:write.topic", "groups:write.topic", "channels:manage", "groups:write",
                 "channels:write"};
const List invite{"channels:write.invites", "groups:write.invites", "channels:manage",
                  "groups:write", "channels:write"};
const List history{"channels:history", "groups:history", "im:history", "mpim:history"};

// Tiers, encodings and scopes as the vendor's method reference has them.
const std::vector<Method> all_methods{
    {"auth.test", auth_test, Tier::special, true, {}, {}},
    {"apps.connections.open", connections_open, Tier::tier1, true, {}, {}},
    {"conversations.create", conversations_create, Tier::tier2, true, manage, {"name"}},
    {"conversations.list", conversations_list, Tier::tier2, false, read, {}},
    {"conversations.info", conversations_info, Tier::tier3, false, read, {"channel"}},
    {"conversations.setTopic",
     conversations_set_topic,
     Tier::tier2,
     true,
     topic,
     {"channel", "topic"}},
    {"conversations.setPurpose",
     conversations_set_purpose,
     Tier::tier2,
     true,
     topic,
     {"channel", "purpose"}},
    {"conversations.invite", conversations_invite, Tier::tier3, true, invite, {"channel", "users"}},
    {"conversations.join", conversations_join, Tier::tier3, true, {"channels:join"}, {"channel"}},
    {"conversations.members", conversations_members, Tier::tier4, false, read, {"channel"}},
    {"conversations.history", conversations_history, Tier::tier3, true, history, {"channel"}},
    {"conversations.replies",
     conversations_replies,
     Tier::tier3,
     false,
     history,
     {"channel", "ts"}},
    {"conversations.archive", conversations_archive, Tier::tier2, true, manage, {"channel"}},
    {"conversations.unarchive", conversations_unarchive, Tier::tier2, true, manage, {"channel"}},
    {"conversations.rename", conversations_rename, Tier::tier2, true, manage, {"channel", "name"}},
    {"chat.postMessage", chat_post_message, Tier::special, true, {"chat:write"}, {"channel"}},
    {"chat.update", chat_update, Tier::tier3, true, {"chat:write"}, {"channel", "ts"}},
    {"chat.getPermalink", chat_get_permalink, Tier::special, false, {}, {"channel", "message_ts"}},
    {"pins.add", pins_add, Tier::tier2, true, {"pins:write"}, {"channel"}},
    {"pins.list", pins_list, Tier::tier2, false, {"pins:read"}, {"channel"}},
    {"bookmarks.add",
     bookmarks_add,
     Tier::tier2,
     true,
     {"bookmarks:write"},
     {"channel_id", "title", "type"}},
    {"bookmarks.list", bookmarks_list, Tier::tier3, true, {"bookmarks:read"}, {"channel_id"}},
    {"users.lookupByEmail",
     users_lookup_by_email,
     Tier::tier3,
     false,
     {"users:read.email"},
     {"email"}},
    {"users.info", users_info, Tier::tier4, false, {"users:read"}, {"user"}},
    {"usergroups.list", usergroups_list, Tier::tier2, false, {"usergroups:read"}, {}},
    {"usergroups.users.list",
     usergroups_users_list,
     Tier::tier2,
     false,
     {"usergroups:read"},
     {"usergroup"}},
};

}  // namespace

std::string_view Call::get(const std::string& name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::string_view{} : std::string_view{found->second};
}

bool Call::flag(const std::string& name) const {
  const auto text = get(name);
  return text == "true" || text == "1";
}

json::object refuse(std::string_view code) { return {{"ok", false}, {"error", code}}; }

json::object refuse(std::string_view code, const std::string& message) {
  auto answer = refuse(code);
  answer["response_metadata"] = json::object{{"messages", json::array{json::string{message}}}};
  return answer;
}

json::object accept(json::object body) {
  body["ok"] = true;
  return body;
}

void warn(json::object& answer, std::string_view code) {
  auto& metadata = answer["response_metadata"];
  if (!metadata.is_object()) metadata = json::object{};
  auto& warnings = metadata.get_object()["warnings"];
  if (!warnings.is_array()) warnings = json::array{};
  warnings.get_array().push_back(json::string{code});
  const auto* before = answer.if_contains("warning");
  const std::string all = before == nullptr
                              ? std::string{code}
                              : fmt::format("{},{}", std::string_view{before->get_string()}, code);
  answer["warning"] = all;
}

const std::vector<Method>& methods() { return all_methods; }

const Method* find_method(std::string_view name) {
  const auto& all = methods();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Method& method) { return method.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Page page_of(const Call& call, std::size_t most) {
  Page page{};
  const auto limit = call.get("limit");
  if (!limit.empty() && (!number(limit, page.count) || page.count < 1 || page.count > most)) {
    page.fault = "invalid_limit";
    return page;
  }
  page.count = std::min(page.count, call.rules.page_most);
  auto cursor = call.get("cursor");
  if (cursor.empty()) return page;
  const bool ours = cursor.substr(0, cursor_mark.size()) == cursor_mark;
  if (!ours || !number(cursor.substr(cursor_mark.size()), page.from)) page.fault = "invalid_cursor";
  return page;
}

std::string cursor_for(std::size_t from) { return fmt::format("{}{}", cursor_mark, from); }

SlackChannel* visible_channel(Call& call, const std::string& argument) {
  auto* channel = call.workspace.channel(call.get(argument));
  if (channel == nullptr) return nullptr;
  // A private channel does not exist for those outside it.
  return channel->is_private && !channel->has_member(call.user) ? nullptr : channel;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace tocsin::fakes::slack
