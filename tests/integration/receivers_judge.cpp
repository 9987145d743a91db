#include "tests/integration/receivers_judge.hpp"

#include <map>
#include <set>

#include <boost/json/serialize.hpp>

namespace tocsin::integration {
namespace {

constexpr std::string_view marker = "tocsin:";

void judge_pages(const json::value& state, std::vector<std::string>& broken) {
  std::set<std::string> triggered;
  for (const auto& event : items(at(state, "pagerduty", "events"))) {
    const auto key = text_at(event, "dedup_key");
    if (text_at(event, "action") == "trigger") triggered.insert(key);
    if (text_at(event, "action") == "resolve" && !triggered.contains(key))
      broken.push_back("a resolve of " + key + " came before its trigger");
  }
  std::map<std::string, int> opened;
  for (const auto& alert : items(at(state, "pagerduty", "alerts")))
    ++opened[text_at(alert, "dedup_key")];
  for (const auto& [key, count] : opened)
    if (count != 1)
      broken.push_back("page " + key + " was opened " + std::to_string(count) + " times");
}

void judge_channels(const json::value& state, std::vector<std::string>& broken) {
  std::map<std::string, int> live;
  for (const auto& channel : items(at(state, "slack", "channels"))) {
    const auto name = text_at(channel, "name");
    const auto purpose = text_at(channel, "purpose");
    const auto mark = purpose.find(marker);
    if (mark != std::string::npos && text_at(channel, "archived") == "false")
      ++live[purpose.substr(mark)];
    if (mark == std::string::npos && name.starts_with("issue-"))
      broken.push_back("channel " + name + " belongs to no incident");
    std::map<std::string, int> seen;
    for (const auto& message : items(at(channel, "messages"))) {
      const auto& metadata = at(message, "metadata");
      if (!metadata.is_null()) ++seen[json::serialize(metadata)];
    }
    for (const auto& [metadata, count] : seen)
      if (count != 1)
        broken.push_back("a message in " + name + " came " + std::to_string(count) +
                         " times: " + metadata);
  }
  for (const auto& [incident, count] : live)
    if (count != 1) broken.push_back(incident + " has " + std::to_string(count) + " live channels");
}

}  // namespace

std::vector<std::string> page_actions(const json::value& state) {
  std::vector<std::string> out;
  for (const auto& event : items(at(state, "pagerduty", "events")))
    out.push_back(text_at(event, "action"));
  return out;
}

std::vector<std::string> broken_promises(const json::value& state) {
  std::vector<std::string> broken;
  judge_pages(state, broken);
  judge_channels(state, broken);
  return broken;
}

}  // namespace tocsin::integration
