#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "tests/fakes/slack_methods.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::fakes::slack {
namespace {

constexpr std::size_t list_limit_most = 999;

// Why the name cannot be a channel's, or empty.
std::string_view fault_in_name(std::string_view name) {
  if (name.empty()) return "invalid_name_required";
  if (characters(name) > limits::slack_channel_name_characters) return "invalid_name_maxlength";
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return letter(c) || c == '-' || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), allowed)) return "invalid_name_specials";
  if (std::none_of(name.begin(), name.end(), letter)) return "invalid_name_punctuation";
  return {};
}

json::object shown(const SlackText& text) {
  return {{"value", text.value}, {"creator", text.creator}, {"last_set", text.last_set}};
}

// What most methods that change a channel ask of it first.
std::string_view fault_of_place(const SlackChannel* channel, const Call& call) {
  if (channel == nullptr) return "channel_not_found";
  if (channel->archived) return "is_archived";
  if (!channel->has_member(call.user)) return "not_in_channel";
  return {};
}

json::object set_text(Call& call, const std::string& argument, SlackText SlackChannel::*field) {
  auto* channel = visible_channel(call);
  if (const auto fault = fault_of_place(channel, call); !fault.empty()) return refuse(fault);
  const std::string text{call.get(argument)};
  if (characters(text) > limits::slack_topic_characters) return refuse("too_long");
  channel->*field = {text, call.user, unix_seconds(call.now)};
  const auto line = text.empty() ? fmt::format("cleared the channel {}", argument)
                                 : fmt::format("set the channel {}: {}", argument, text);
  call.workspace.note(*channel, call.user, "channel_" + argument, line, call.now);
  return accept({{"channel", show(*channel, call)}});
}

std::string_view fault_of_guest(Call& call, const SlackChannel& channel, std::string_view guest) {
  if (guest == call.user) return "cant_invite_self";
  const auto* user = call.workspace.user(guest);
  if (user == nullptr || user->deactivated) return "user_not_found";
  if (channel.has_member(guest)) return "already_in_channel";
  return {};
}

json::object shown(const SlackMessage& message, bool with_metadata) {
  json::object out{
      {"type", "message"}, {"user", message.user}, {"text", message.text}, {"ts", message.ts}};
  if (!message.subtype.empty()) out["subtype"] = message.subtype;
  if (!message.thread_ts.empty()) out["thread_ts"] = message.thread_ts;
  if (!message.blocks.empty()) out["blocks"] = json::parse(message.blocks);
  if (message.edits > 0) out["edited"] = json::object{{"user", message.user}, {"ts", message.ts}};
  if (with_metadata && !message.metadata.empty()) out["metadata"] = json::parse(message.metadata);
  return out;
}

bool is_ts(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Ids of messages compare as text once they have the same number of digits before the dot, and they
// all have.
bool within(const SlackMessage& message, const Call& call) {
  const auto oldest = call.get("oldest");
  const auto latest = call.get("latest");
  const bool inclusive = call.flag("inclusive");
  if (!oldest.empty() && (inclusive ? message.ts < oldest : message.ts <= oldest)) return false;
  if (!latest.empty() && (inclusive ? message.ts > latest : message.ts >= latest)) return false;
  return true;
}

// A reply lives in its thread only; the thread's first message has its own id there.
bool is_reply(const SlackMessage& message) {
  return !message.thread_ts.empty() && message.thread_ts != message.ts;
}

}  // namespace

json::object show(const SlackChannel& channel, const Call& call) {
  json::array previous;
  for (const auto& name : channel.previous_names) previous.push_back(json::string{name});
  return {{"id", channel.id},
          {"name", channel.name},
          {"name_normalized", channel.name},
          {"is_channel", !channel.is_private},
          {"is_group", channel.is_private},
          {"is_im", false},
          {"is_mpim", false},
          {"is_private", channel.is_private},
          {"created", channel.created},
          {"is_archived", channel.archived},
          {"is_general", channel.general},
          {"is_shared", false},
          {"is_member", channel.has_member(call.user)},
          {"creator", channel.creator},
          {"updated", channel.updated_ms},
          {"context_team_id", call.workspace.team_id},
          {"topic", shown(channel.topic)},
          {"purpose", shown(channel.purpose)},
          {"previous_names", std::move(previous)}};
}

json::object conversations_create(Call& call) {
  const std::string name{call.get("name")};
  if (const auto fault = fault_in_name(name); !fault.empty()) return refuse(fault);
  if (!call.rules.may_create) return refuse("restricted_action");
  // Archived and invisible channels keep their names.
  if (call.workspace.channel_named(name) != nullptr) return refuse("name_taken");
  SlackChannel made{};
  made.id = call.workspace.new_id("C");
  made.name = name;
  made.creator = call.user;
  made.created = unix_seconds(call.now);
  made.is_private = call.flag("is_private");
  made.members.push_back(call.user);
  call.workspace.note(made, call.user, "channel_join",
                      fmt::format("<@{}> has joined the channel", call.user), call.now);
  call.workspace.channels.push_back(std::move(made));
  return accept({{"channel", show(call.workspace.channels.back(), call)}});
}

json::object conversations_list(Call& call) {
  const auto page = page_of(call, list_limit_most);
  if (!page.fault.empty()) return refuse(page.fault);
  const auto types =
      call.get("types").empty() ? std::string_view{"public_channel"} : call.get("types");
  for (const auto type : split(types, ',')) {
    const auto name = trim(type);
    const bool known =
        name == "public_channel" || name == "private_channel" || name == "mpim" || name == "im";
    if (!known) return refuse("invalid_types");
  }
  const bool with_public = types.find("public_channel") != std::string_view::npos;
  const bool with_private = types.find("private_channel") != std::string_view::npos;
  const auto& all = call.workspace.channels;
  const std::size_t end = std::min(page.from + page.count, all.size());
  json::array shown_channels;
  // What is left out still counts towards the page: pages come back short, or empty, before the
  // end.
  for (std::size_t at = page.from; at < end; ++at) {
    const auto& channel = all[at];
    if (channel.archived && call.flag("exclude_archived")) continue;
    if (channel.is_private ? !with_private || !channel.has_member(call.user) : !with_public)
      continue;
    auto object = show(channel, call);
    object["num_members"] = channel.members.size();
    shown_channels.push_back(std::move(object));
  }
  return accept(
      {{"channels", std::move(shown_channels)},
       {"response_metadata", {{"next_cursor", end < all.size() ? cursor_for(end) : ""}}}});
}

json::object conversations_info(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  auto object = show(*channel, call);
  if (call.flag("include_num_members")) object["num_members"] = channel->members.size();
  return accept({{"channel", std::move(object)}});
}

json::object conversations_set_topic(Call& call) {
  return set_text(call, "topic", &SlackChannel::topic);
}

json::object conversations_set_purpose(Call& call) {
  return set_text(call, "purpose", &SlackChannel::purpose);
}

json::object conversations_invite(Call& call) {
  auto* channel = visible_channel(call);
  if (const auto fault = fault_of_place(channel, call); !fault.empty()) return refuse(fault);
  const auto guests = split(call.get("users"), ',');
  if (trim(call.get("users")).empty()) return refuse("no_user");
  if (guests.size() > limits::slack_invite_users) {
    return refuse("invalid_arguments", "[ERROR] no more than 100 users at once");
  }
  json::array errors;
  std::vector<std::string> welcome;
  for (const auto guest : guests) {
    const auto id = trim(guest);
    const auto fault = fault_of_guest(call, *channel, id);
    if (fault.empty()) {
      welcome.emplace_back(id);
    } else {
      errors.push_back(json::object{{"user", id}, {"ok", false}, {"error", fault}});
    }
  }
  // One bad guest turns the whole party away, unless force is set.
  if (!errors.empty() && (!call.flag("force") || welcome.empty())) {
    auto answer = refuse(std::string_view{errors.front().get_object()["error"].get_string()});
    answer["errors"] = std::move(errors);
    return answer;
  }
  for (const auto& guest : welcome) {
    if (channel->has_member(guest)) continue;
    channel->members.push_back(guest);
    call.workspace.note(*channel, guest, "channel_join",
                        fmt::format("<@{}> has joined the channel", guest), call.now);
  }
  auto answer = accept({{"channel", show(*channel, call)}});
  if (!errors.empty()) answer["errors"] = std::move(errors);
  return answer;
}

json::object conversations_join(Call& call) {
  auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (channel->archived) return refuse("is_archived");
  if (channel->is_private) return refuse("method_not_supported_for_channel_type");
  const bool already = channel->has_member(call.user);
  if (!already) {
    channel->members.push_back(call.user);
    call.workspace.note(*channel, call.user, "channel_join",
                        fmt::format("<@{}> has joined the channel", call.user), call.now);
  }
  auto answer = accept({{"channel", show(*channel, call)}});
  if (already) warn(answer, "already_in_channel");
  return answer;
}

json::object conversations_members(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  const auto page = page_of(call, list_limit_most);
  if (!page.fault.empty()) return refuse(page.fault);
  const std::size_t end = std::min(page.from + page.count, channel->members.size());
  json::array members;
  for (std::size_t at = page.from; at < end; ++at)
    members.push_back(json::string{channel->members[at]});
  return accept({{"members", std::move(members)},
                 {"response_metadata",
                  {{"next_cursor", end < channel->members.size() ? cursor_for(end) : ""}}}});
}

json::object conversations_history(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  // Bots read only where they are, and archiving has put them out.
  if (call.bot && !channel->has_member(call.user)) return refuse("not_in_channel");
  if (!is_ts(call.get("oldest"))) return refuse("invalid_ts_oldest");
  if (!is_ts(call.get("latest"))) return refuse("invalid_ts_latest");
  const auto page = page_of(call, list_limit_most);
  if (!page.fault.empty()) return refuse(page.fault);
  std::vector<const SlackMessage*> matching;
  for (auto at = channel->messages.rbegin(); at != channel->messages.rend(); ++at) {
    if (!is_reply(*at) && within(*at, call)) matching.push_back(&*at);
  }
  const std::size_t end = std::min(page.from + page.count, matching.size());
  json::array messages;
  for (std::size_t at = page.from; at < end; ++at) {
    messages.push_back(shown(*matching[at], call.flag("include_all_metadata")));
  }
  const bool more = end < matching.size();
  auto answer = accept(
      {{"messages", std::move(messages)}, {"has_more", more}, {"pin_count", channel->pins.size()}});
  if (more) answer["response_metadata"] = json::object{{"next_cursor", cursor_for(end)}};
  return answer;
}

json::object conversations_replies(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (call.bot && !channel->has_member(call.user)) return refuse("not_in_channel");
  if (!is_ts(call.get("oldest"))) return refuse("invalid_ts_oldest");
  if (!is_ts(call.get("latest"))) return refuse("invalid_ts_latest");
  const auto parent = call.get("ts");
  if (channel->message(parent) == nullptr) return refuse("thread_not_found");
  const auto page = page_of(call, list_limit_most);
  if (!page.fault.empty()) return refuse(page.fault);
  // Oldest first, with the parent in front: the other way round than history.
  std::vector<const SlackMessage*> matching;
  for (const auto& message : channel->messages) {
    const bool reply = is_reply(message) && message.thread_ts == parent && within(message, call);
    if (reply || message.ts == parent) matching.push_back(&message);
  }
  const std::size_t end = std::min(page.from + page.count, matching.size());
  json::array messages;
  for (std::size_t at = page.from; at < end; ++at) {
    messages.push_back(shown(*matching[at], call.flag("include_all_metadata")));
  }
  const bool more = end < matching.size();
  auto answer = accept({{"messages", std::move(messages)}, {"has_more", more}});
  if (more) answer["response_metadata"] = json::object{{"next_cursor", cursor_for(end)}};
  return answer;
}

json::object conversations_archive(Call& call) {
  auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (channel->archived) return refuse("already_archived");
  if (channel->general) return refuse("cant_archive_general");
  if (!channel->has_member(call.user)) return refuse("not_in_channel");
  call.workspace.note(*channel, call.user, "channel_archive",
                      fmt::format("<@{}> archived the channel", call.user), call.now);
  channel->archived = true;
  // Archiving puts bots out of the channel: afterwards they can neither read nor reopen it.
  auto& workspace = call.workspace;
  std::erase_if(channel->members, [&](const std::string& id) {
    const auto* user = workspace.user(id);
    return user != nullptr && user->bot;
  });
  return accept();
}

json::object conversations_unarchive(Call& call) {
  auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (call.bot && !channel->has_member(call.user)) return refuse("not_in_channel");
  if (!channel->archived) return refuse("not_archived");
  channel->archived = false;
  call.workspace.note(*channel, call.user, "channel_unarchive",
                      fmt::format("<@{}> un-archived the channel", call.user), call.now);
  return accept();
}

json::object conversations_rename(Call& call) {
  auto* channel = visible_channel(call);
  if (const auto fault = fault_of_place(channel, call); !fault.empty()) return refuse(fault);
  const std::string name{call.get("name")};
  if (const auto fault = fault_in_name(name); !fault.empty()) return refuse(fault);
  const auto* other = call.workspace.channel_named(name);
  if (other != nullptr && other != channel) return refuse("name_taken");
  if (channel->creator != call.user) return refuse("not_authorized");
  channel->previous_names.insert(channel->previous_names.begin(), channel->name);
  channel->name = name;
  call.workspace.note(*channel, call.user, "channel_name",
                      fmt::format("has renamed the channel to \"{}\"", name), call.now);
  return accept({{"channel", show(*channel, call)}});
}

}  // namespace tocsin::fakes::slack
