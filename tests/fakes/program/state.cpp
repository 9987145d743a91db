#include <algorithm>

#include <boost/json.hpp>

#include "tests/fakes/program/control.hpp"

namespace tocsin::fakes {
namespace {

namespace json = boost::json;

std::int64_t nanoseconds(SteadyTime time) { return time.time_since_epoch().count(); }

json::value parsed(const std::string& text) {
  return text.empty() ? json::value{} : json::parse(text);
}

json::object shown(const SlackMessage& message, const SlackChannel& channel) {
  const bool pinned =
      std::find(channel.pins.begin(), channel.pins.end(), message.ts) != channel.pins.end();
  return {{"ts", message.ts},
          {"user", message.user},
          {"subtype", message.subtype},
          {"text", message.text},
          {"thread_ts", message.thread_ts},
          {"blocks", parsed(message.blocks)},
          {"metadata", parsed(message.metadata)},
          {"edits", message.edits},
          {"pinned", pinned}};
}

json::object shown(const SlackChannel& channel) {
  json::array messages;
  json::array bookmarks;
  for (const auto& message : channel.messages) messages.push_back(shown(message, channel));
  for (const auto& bookmark : channel.bookmarks) {
    bookmarks.push_back(json::object{{"title", bookmark.title}, {"link", bookmark.link}});
  }
  return {{"id", channel.id},
          {"name", channel.name},
          {"creator", channel.creator},
          {"created", channel.created},
          {"archived", channel.archived},
          {"private", channel.is_private},
          {"topic", channel.topic.value},
          {"purpose", channel.purpose.value},
          {"members", json::value_from(channel.members)},
          {"pins", json::value_from(channel.pins)},
          {"bookmarks", std::move(bookmarks)},
          {"messages", std::move(messages)}};
}

json::object shown(const PagerDutyAlert& alert) {
  return {{"routing_key", alert.routing_key},
          {"dedup_key", alert.dedup_key},
          {"summary", alert.summary},
          {"severity", alert.severity},
          {"state", to_string(alert.state)},
          {"triggers", alert.triggers},
          {"opened_ns", nanoseconds(alert.opened.steady)}};
}

json::object shown(const PagerDutyEvent& event) {
  return {{"number", event.number},       {"at_ns", nanoseconds(event.at.steady)},
          {"action", event.action},       {"routing_key", event.routing_key},
          {"dedup_key", event.dedup_key}, {"became", to_string(event.became)},
          {"body", parsed(event.body)}};
}

template <class Items>
json::array all(const Items& items) {
  json::array out;
  for (const auto& item : items) out.push_back(shown(item));
  return out;
}

}  // namespace

std::string state_of(const Vendors& vendors) {
  const json::object state{{"slack",
                            {{"down", vendors.slack->faults().down()},
                             {"channels", all(vendors.slack->workspace().channels)}}},
                           {"pagerduty",
                            {{"down", vendors.pagerduty->faults().down()},
                             {"alerts", all(vendors.pagerduty->alerts())},
                             {"events", all(vendors.pagerduty->journal())}}}};
  return json::serialize(state) + "\n";
}

}  // namespace tocsin::fakes
