#include <algorithm>
#include <string>

#include <boost/json/array.hpp>

#include "tests/fakes/slack_methods.hpp"

namespace tocsin::fakes::slack {
namespace {

json::object shown(const SlackUser& user, const SlackWorkspace& workspace) {
  return {
      {"id", user.id},
      {"team_id", workspace.team_id},
      {"name", user.name},
      {"deleted", user.deactivated},
      {"real_name", user.name},
      {"is_bot", user.bot},
      {"profile", {{"real_name", user.name}, {"display_name", user.name}, {"email", user.email}}}};
}

json::array list(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.push_back(json::string{text});
  return out;
}

}  // namespace

json::object auth_test(Call& call) {
  const auto* user = call.workspace.user(call.user);
  if (user == nullptr) return refuse("invalid_auth");
  json::object body{{"url", call.workspace.url},
                    {"team", call.workspace.team},
                    {"user", user->name},
                    {"team_id", call.workspace.team_id},
                    {"user_id", user->id}};
  if (call.bot) body["bot_id"] = "B0FAKEBOT";
  return accept(std::move(body));
}

// There is no web socket to offer, and saying so is better than an address that leads nowhere.
json::object connections_open(Call&) { return refuse("internal_error"); }

json::object users_lookup_by_email(Call& call) {
  const auto email = call.get("email");
  const auto& users = call.workspace.users;
  const auto found = std::find_if(users.begin(), users.end(), [&](const SlackUser& user) {
    return user.email == email && !user.deactivated;
  });
  if (email.empty() || found == users.end()) return refuse("users_not_found");
  return accept({{"user", shown(*found, call.workspace)}});
}

json::object users_info(Call& call) {
  const auto* user = call.workspace.user(call.get("user"));
  if (user == nullptr) return refuse("user_not_found");
  return accept({{"user", shown(*user, call.workspace)}});
}

json::object usergroups_list(Call& call) {
  json::array groups;
  for (const auto& group : call.workspace.groups) {
    if (group.disabled && !call.flag("include_disabled")) continue;
    json::object object{{"id", group.id},         {"team_id", call.workspace.team_id},
                        {"is_usergroup", true},   {"name", group.name},
                        {"handle", group.handle}, {"date_delete", group.disabled ? 1 : 0}};
    if (call.flag("include_users")) object["users"] = list(group.users);
    groups.push_back(std::move(object));
  }
  return accept({{"usergroups", std::move(groups)}});
}

json::object usergroups_users_list(Call& call) {
  const auto& groups = call.workspace.groups;
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const SlackUserGroup& group) {
    return group.id == call.get("usergroup");
  });
  if (found == groups.end()) return refuse("no_such_subteam");
  return accept({{"users", list(found->users)}});
}

}  // namespace tocsin::fakes::slack
