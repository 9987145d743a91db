#include "agent/notify/slack_people.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_message.hpp"
#include "agent/notify/wire.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t groups_bytes_max = 4u << 20;
constexpr std::size_t groups_max = 5000;

/// "U012AB3CD" and the like: a capital letter of the kind, then capitals and digits.
bool is_id(std::string_view text, std::string_view kinds) {
  if (text.size() < 7 || kinds.find(text[0]) == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

std::string comma_list(const std::vector<std::string>& items) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : ",") + item;
  return all;
}

/// What people should know of those who were not invited, one person each. Returns whether anybody
/// of `count` is there now: invited, or in the channel before.
bool tell_of_failures(const json::object& body, std::size_t count,
                      const std::vector<Secret>& secrets, std::vector<std::string>& notes) {
  const auto* errors = array_at(body, "errors");
  if (!errors) return false;
  std::size_t failed = 0;
  for (const auto& item : *errors) {
    if (!item.is_object()) continue;
    const auto code = text_at(item.as_object(), {"error"});
    if (classify_slack_code(code) == SlackClass::already) continue;
    ++failed;
    notes.push_back(fmt::format("{} was not invited: {}",
                                quoted(text_at(item.as_object(), {"user"}), secrets, 40),
                                quoted(code, secrets, 80)));
  }
  return failed < count;
}

}  // namespace

const std::vector<std::string>* SlackPeople::recall(const std::string& key) {
  const auto found = remembered_.find(key);
  if (found == remembered_.end()) return nullptr;
  if (found->second.until > api_.clock().steady()) return &found->second.ids;
  remembered_.erase(found);
  return nullptr;
}

void SlackPeople::remember(std::string key, std::vector<std::string> ids, Duration age_max) {
  if (remembered_.size() >= remembered_max)
    remembered_.clear();  // Asked again: a cost, not a fault.
  remembered_[std::move(key)] = {std::move(ids), api_.clock().steady() + age_max};
}

asio::awaitable<SlackPeople::Lookup> SlackPeople::find_by_email(std::string email,
                                                                SteadyTime deadline) {
  Lookup lookup;
  if (const auto* known = recall(email)) {
    lookup.ids = *known;
    co_return lookup;
  }
  SlackCall call;
  call.method = SlackMethod::users_lookup_by_email;
  call.form = {{"email", email}};
  auto asking = api_.call(std::move(call), deadline);
  auto answer = co_await std::move(asking);
  const auto id = text_at(answer.body, {"user", "id"});
  if (answer.ok() && !id.empty()) {
    lookup.ids = {id};
    remember(std::move(email), lookup.ids, person_age_max);
  } else if (may_succeed_later(answer.kind)) {
    lookup.failed = std::move(answer);
  } else if (answer.code == "users_not_found" || answer.ok()) {
    lookup.note = fmt::format("{} is nobody's e-mail in this workspace", email);
  } else {
    lookup.note = fmt::format("{} could not be looked up: {}", email, answer.why.detail);
  }
  co_return lookup;
}

asio::awaitable<SlackAnswer> SlackPeople::load_groups(SteadyTime deadline) {
  SlackAnswer answer;
  if (groups_until_ > api_.clock().steady()) co_return answer;
  SlackCall call;
  call.method = SlackMethod::usergroups_list;
  call.response_bytes_max = groups_bytes_max;
  auto asking = api_.call(std::move(call), deadline);
  answer = co_await std::move(asking);
  if (!answer.ok()) co_return answer;
  groups_.clear();
  if (const auto* groups = array_at(answer.body, "usergroups")) {
    for (const auto& group : *groups) {
      if (!group.is_object() || groups_.size() >= groups_max) continue;
      const auto handle = text_at(group.as_object(), {"handle"});
      if (!handle.empty()) groups_[handle] = text_at(group.as_object(), {"id"});
    }
  }
  groups_until_ = api_.clock().steady() + group_age_max;
  co_return answer;
}

asio::awaitable<SlackPeople::Lookup> SlackPeople::members_of(std::string group_id,
                                                             std::string shown,
                                                             SteadyTime deadline) {
  Lookup lookup;
  if (const auto* known = recall(group_id)) {
    lookup.ids = *known;
    co_return lookup;
  }
  SlackCall call;
  call.method = SlackMethod::usergroups_users_list;
  call.form = {{"usergroup", group_id}};
  auto asking = api_.call(std::move(call), deadline);
  auto answer = co_await std::move(asking);
  if (!answer.ok()) {
    if (may_succeed_later(answer.kind)) {
      lookup.failed = std::move(answer);
    } else {
      lookup.note = fmt::format("{} could not be read: {}", shown, answer.why.detail);
    }
    co_return lookup;
  }
  if (const auto* users = array_at(answer.body, "users")) {
    for (const auto& user : *users) {
      if (user.is_string()) lookup.ids.emplace_back(user.as_string());
    }
  }
  if (lookup.ids.empty()) lookup.note = fmt::format("{} is an empty group", shown);
  remember(std::move(group_id), lookup.ids, group_age_max);
  co_return lookup;
}

asio::awaitable<SlackPeople::Lookup> SlackPeople::find_group(std::string handle,
                                                             SteadyTime deadline) {
  Lookup lookup;
  auto loading = load_groups(deadline);
  auto answer = co_await std::move(loading);
  if (!answer.ok()) {
    if (may_succeed_later(answer.kind)) {
      lookup.failed = std::move(answer);
    } else {
      lookup.note = fmt::format("@{} could not be looked up: {}", handle, answer.why.detail);
    }
    co_return lookup;
  }
  const auto found = groups_.find(handle);
  if (found == groups_.end()) {
    lookup.note = fmt::format("@{} is no usergroup of this workspace", handle);
    co_return lookup;
  }
  auto reading = members_of(found->second, "@" + handle, deadline);
  co_return co_await std::move(reading);
}

asio::awaitable<SlackPeople::Lookup> SlackPeople::find(std::string who, SteadyTime deadline) {
  Lookup lookup;
  if (is_id(who, "UW")) {
    lookup.ids = {std::move(who)};
    co_return lookup;
  }
  if (is_id(who, "S")) {
    auto reading = members_of(who, who, deadline);
    co_return co_await std::move(reading);
  }
  if (who.starts_with('@')) {
    auto finding = find_group(who.substr(1), deadline);
    co_return co_await std::move(finding);
  }
  if (who.find('@') != std::string::npos) {
    auto finding = find_by_email(std::move(who), deadline);
    co_return co_await std::move(finding);
  }
  lookup.note = fmt::format("\"{}\" is no e-mail, @usergroup or Slack id", cut_characters(who, 80));
  co_return lookup;
}

asio::awaitable<SlackAnswer> SlackPeople::invite_some(std::string channel,
                                                      std::vector<std::string> ids,
                                                      std::vector<std::string>& notes,
                                                      SteadyTime deadline) {
  SlackCall call;
  call.method = SlackMethod::conversations_invite;
  call.form = {{"channel", channel}, {"users", comma_list(ids)}, {"force", "true"}};
  auto inviting = api_.call_as_member(std::move(call), channel, deadline);
  auto answer = co_await std::move(inviting);
  const std::vector<Secret> secrets{api_.options().token};
  if (answer.done()) {
    tell_of_failures(answer.body, ids.size(), secrets, notes);
    answer.kind = SlackClass::ok;
  } else if (answer.kind != SlackClass::channel_gone &&
             tell_of_failures(answer.body, ids.size(), secrets, notes)) {
    // With force, those who are not named in the errors were invited.
    answer.kind = SlackClass::ok;
  }
  co_return answer;
}

asio::awaitable<Delivery> SlackPeople::invite(Draft draft, DraftInvite invite,
                                              SteadyTime deadline) {
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  // Nobody is drawn into the fallback channel for a thread: its members are those who want to know.
  if (!draft.channel.thread.empty()) co_return Delivered{};
  Delivered delivered;
  std::vector<std::string> ids;
  std::set<std::string> seen;
  if (const auto& us = api_.identity()) seen.insert(us->user_id);
  for (const auto& who : invite.who) {
    auto finding = find(std::string{trim(who)}, deadline);
    auto lookup = co_await std::move(finding);
    if (lookup.failed) co_return delivery_of(*lookup.failed);
    if (!lookup.note.empty()) delivered.notes.push_back(std::move(lookup.note));
    for (auto& id : lookup.ids) {
      if (ids.size() < invited_max && seen.insert(id).second) ids.push_back(std::move(id));
    }
  }
  if (ids.size() == invited_max)
    delivered.notes.push_back(fmt::format("only the first {} were invited", invited_max));
  std::optional<SlackAnswer> refused;
  bool anybody = ids.empty() && delivered.notes.empty();
  for (std::size_t from = 0; from < ids.size(); from += limits::slack_invite_users) {
    const auto to = std::min(from + limits::slack_invite_users, ids.size());
    std::vector<std::string> some{ids.begin() + static_cast<std::ptrdiff_t>(from),
                                  ids.begin() + static_cast<std::ptrdiff_t>(to)};
    auto inviting = invite_some(draft.channel.id, std::move(some), delivered.notes, deadline);
    auto answer = co_await std::move(inviting);
    if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
    if (may_succeed_later(answer.kind)) co_return delivery_of(answer);
    if (answer.ok()) {
      anybody = true;
    } else {
      delivered.notes.push_back(answer.why.detail);
      refused = std::move(answer);
    }
  }
  if (anybody) co_return delivered;
  auto sentence = fmt::format("nobody was invited: {}", fmt::join(delivered.notes, "; "));
  co_return Rejected{{Errc::refused, cut_characters(sentence, 1000)}};
}

}  // namespace tocsin::notify
