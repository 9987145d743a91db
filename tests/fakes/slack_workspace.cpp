#include "tests/fakes/slack_workspace.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tocsin::fakes {
namespace {

template <class Items, class Matches>
auto* find_in(Items& items, Matches matches) {
  const auto found = std::find_if(items.begin(), items.end(), matches);
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

bool SlackChannel::has_member(std::string_view user) const {
  return std::find(members.begin(), members.end(), user) != members.end();
}

SlackMessage* SlackChannel::message(std::string_view ts) {
  return find_in(messages, [&](const SlackMessage& message) { return message.ts == ts; });
}

const SlackMessage* SlackChannel::message(std::string_view ts) const {
  return find_in(messages, [&](const SlackMessage& message) { return message.ts == ts; });
}

SlackUser* SlackWorkspace::user(std::string_view id) {
  return find_in(users, [&](const SlackUser& user) { return user.id == id; });
}

SlackChannel* SlackWorkspace::channel(std::string_view id) {
  return find_in(channels, [&](const SlackChannel& channel) { return channel.id == id; });
}

SlackChannel* SlackWorkspace::channel_named(std::string_view name) {
  return find_in(channels, [&](const SlackChannel& channel) { return channel.name == name; });
}

const SlackToken* SlackWorkspace::token(std::string_view text) const {
  return find_in(tokens, [&](const SlackToken& token) { return token.token == text; });
}

std::string SlackWorkspace::new_id(std::string_view prefix) {
  return fmt::format("{}0FAKE{:05}", prefix, ++ids_given);
}

std::string SlackWorkspace::new_ts(WallTime now) {
  last_ts = std::max(now.time_since_epoch().count(), last_ts + 1);
  return fmt::format("{}.{:06}", last_ts / 1'000'000, last_ts % 1'000'000);
}

void SlackWorkspace::note(SlackChannel& channel, std::string_view user, std::string_view subtype,
                          std::string text, WallTime now) {
  SlackMessage line{};
  line.ts = new_ts(now);
  line.user = user;
  line.subtype = subtype;
  line.text = std::move(text);
  channel.messages.push_back(std::move(line));
  channel.updated_ms = now.time_since_epoch().count() / 1000;
}

std::int64_t unix_seconds(WallTime time) { return time.time_since_epoch().count() / 1'000'000; }

}  // namespace tocsin::fakes
