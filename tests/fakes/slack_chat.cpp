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

constexpr std::size_t text_kept =
    40'000;  // chat.postMessage: what is longer is cut, with a warning.
constexpr std::size_t pins_most = 100;
constexpr std::size_t bookmarks_most = 100;

// chat.postMessage alone also takes a channel's name.
SlackChannel* channel_to_post_in(Call& call) {
  if (auto* channel = visible_channel(call)) return channel;
  auto name = call.get("channel");
  if (!name.empty() && name.front() == '#') name.remove_prefix(1);
  auto* channel = call.workspace.channel_named(name);
  if (channel == nullptr || (channel->is_private && !channel->has_member(call.user)))
    return nullptr;
  return channel;
}

bool is_empty_list(std::string_view text) { return text.empty() || text == "[]"; }

std::string_view fault_in_content(const Call& call) {
  const auto blocks = call.get("blocks");
  const bool nothing = call.get("text").empty() && is_empty_list(blocks) &&
                       is_empty_list(call.get("attachments")) && call.get("markdown_text").empty();
  if (nothing) return "no_text";
  if (!call.get("markdown_text").empty() && !(call.get("text").empty() && blocks.empty())) {
    return "markdown_text_conflict";
  }
  return blocks.empty() ? std::string_view{} : fault_in_blocks(blocks);
}

std::string_view fault_in_metadata(std::string_view text) {
  if (text.empty()) return {};
  boost::system::error_code problem;
  const auto parsed = json::parse(text, problem);
  if (problem || !parsed.is_object()) return "invalid_metadata_format";
  const auto* type = parsed.get_object().if_contains("event_type");
  const auto* payload = parsed.get_object().if_contains("event_payload");
  const bool good =
      type != nullptr && type->is_string() && payload != nullptr && payload->is_object();
  return good ? std::string_view{} : "invalid_metadata_schema";
}

json::object shown(const SlackMessage& message, const Call& call) {
  json::object out{{"type", "message"},
                   {"user", message.user},
                   {"text", message.text},
                   {"ts", message.ts},
                   {"team", call.workspace.team_id}};
  if (call.bot) out["bot_id"] = "B0FAKEBOT";
  if (!message.blocks.empty()) out["blocks"] = json::parse(message.blocks);
  if (!message.thread_ts.empty()) out["thread_ts"] = message.thread_ts;
  return out;
}

std::string permalink(const Call& call, const SlackChannel& channel, std::string_view ts) {
  std::string digits{ts};
  std::erase(digits, '.');
  return fmt::format("{}archives/{}/p{}", call.workspace.url, channel.id, digits);
}

}  // namespace

json::object chat_post_message(Call& call) {
  auto* channel = channel_to_post_in(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (channel->archived) return refuse("is_archived");
  if (!channel->has_member(call.user) && !call.may_post_anywhere) return refuse("not_in_channel");
  if (const auto fault = fault_in_content(call); !fault.empty()) return refuse(fault);
  if (const auto fault = fault_in_metadata(call.get("metadata")); !fault.empty())
    return refuse(fault);
  SlackMessage made{};
  made.user = call.user;
  made.text = call.get("text");
  made.blocks = call.get("blocks");
  made.metadata = call.get("metadata");
  made.thread_ts = call.get("thread_ts");
  if (!made.thread_ts.empty() && channel->message(made.thread_ts) == nullptr) {
    return refuse("cannot_reply_to_message");
  }
  const bool truncated = characters(made.text) > text_kept;
  if (truncated) made.text = cut_characters(made.text, text_kept);
  made.ts = call.workspace.new_ts(call.now);
  auto answer = accept({{"channel", channel->id}, {"ts", made.ts}, {"message", shown(made, call)}});
  channel->messages.push_back(std::move(made));
  if (truncated) warn(answer, "message_truncated");
  return answer;
}

json::object chat_update(Call& call) {
  auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (channel->archived) return refuse("is_inactive");
  auto* message = channel->message(call.get("ts"));
  if (message == nullptr) return refuse("message_not_found");
  if (message->user != call.user || !message->subtype.empty()) return refuse("cant_update_message");
  if (characters(call.get("text")) > limits::slack_update_text_characters)
    return refuse("msg_too_long");
  if (const auto fault = fault_in_content(call); !fault.empty()) return refuse(fault);
  if (const auto fault = fault_in_metadata(call.get("metadata")); !fault.empty())
    return refuse(fault);
  message->text = call.get("text");
  message->blocks = call.get("blocks");
  if (!call.get("metadata").empty()) message->metadata = call.get("metadata");
  ++message->edits;
  return accept({{"channel", channel->id},
                 {"ts", message->ts},
                 {"text", message->text},
                 {"message", shown(*message, call)}});
}

json::object chat_get_permalink(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  const auto* message = channel->message(call.get("message_ts"));
  if (message == nullptr) return refuse("message_not_found");
  return accept({{"channel", channel->id}, {"permalink", permalink(call, *channel, message->ts)}});
}

json::object pins_add(Call& call) {
  auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  if (!channel->has_member(call.user)) return refuse("not_in_channel");
  const std::string ts{call.get("timestamp")};
  if (ts.empty()) return refuse("no_item_specified");
  const auto* message = channel->message(ts);
  if (message == nullptr) return refuse("message_not_found");
  if (!message->subtype.empty()) return refuse("not_pinnable");
  auto& pins = channel->pins;
  if (std::find(pins.begin(), pins.end(), ts) != pins.end()) return refuse("already_pinned");
  if (pins.size() >= pins_most) return refuse("too_many_pins");
  pins.push_back(ts);
  return accept();
}

json::object pins_list(Call& call) {
  const auto* channel = visible_channel(call);
  if (channel == nullptr) return refuse("channel_not_found");
  json::array items;
  for (auto ts = channel->pins.rbegin(); ts != channel->pins.rend(); ++ts) {
    const auto* message = channel->message(*ts);
    if (message == nullptr) continue;
    auto object = shown(*message, call);
    object["permalink"] = permalink(call, *channel, *ts);
    object["pinned_to"] = json::array{json::string{channel->id}};
    items.push_back(json::object{{"type", "message"},
                                 {"channel", channel->id},
                                 {"created_by", call.user},
                                 {"message", std::move(object)}});
  }
  return accept({{"items", std::move(items)}});
}

namespace {

json::object shown(const SlackBookmark& bookmark, const SlackChannel& channel) {
  return {{"id", bookmark.id},       {"channel_id", channel.id},
          {"title", bookmark.title}, {"link", bookmark.link},
          {"emoji", bookmark.emoji}, {"type", "link"},
          {"entity_id", nullptr},    {"date_created", bookmark.created},
          {"date_updated", 0},       {"shortcut_id", nullptr},
          {"app_id", nullptr}};
}

}  // namespace

json::object bookmarks_add(Call& call) {
  auto* channel = visible_channel(call, "channel_id");
  if (channel == nullptr) return refuse("channel_not_found");
  if (!channel->has_member(call.user) || channel->archived) return refuse("permission_denied");
  if (call.get("type") != "link") return refuse("invalid_bookmark_type");
  const auto title = call.get("title");
  if (title.empty() || characters(title) > limits::slack_bookmark_title_characters) {
    return refuse("invalid_arguments", "[ERROR] title must have 1 to 256 characters");
  }
  const auto link = call.get("link");
  const bool web = starts_with(link, "http://") || starts_with(link, "https://");
  if (!web || link.size() > limits::slack_bookmark_link_bytes) return refuse("invalid_link");
  if (channel->bookmarks.size() >= bookmarks_most) return refuse("too_many_bookmarks");
  SlackBookmark made{call.workspace.new_id("Bk"), std::string{title}, std::string{link},
                     std::string{call.get("emoji")}, unix_seconds(call.now)};
  channel->bookmarks.push_back(std::move(made));
  return accept({{"bookmark", shown(channel->bookmarks.back(), *channel)}});
}

json::object bookmarks_list(Call& call) {
  const auto* channel = visible_channel(call, "channel_id");
  if (channel == nullptr) return refuse("channel_not_found");
  json::array bookmarks;
  for (const auto& bookmark : channel->bookmarks) bookmarks.push_back(shown(bookmark, *channel));
  return accept({{"bookmarks", std::move(bookmarks)}});
}

}  // namespace tocsin::fakes::slack
