#include "agent/app/printing.hpp"

#include <boost/json.hpp>

#include "agent/app/table.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::app {

namespace json = boost::json;

namespace {

const json::value* member(const json::value& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.get_object().find(key);
  return at == object.get_object().end() ? nullptr : &at->value();
}

std::string text_below(const json::value& object, std::string_view outer, std::string_view key) {
  const auto* inner = member(object, outer);
  return inner == nullptr ? std::string{} : text_of(*inner, key);
}

/// "22 Nov 21:37", from an API time; empty stays empty.
std::string short_time(const std::string& rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  return time ? to_rfc3339(*time).substr(5, 11).replace(5, 1, " ") : rfc3339;
}

std::string page_words(const json::value& incident) {
  const auto state = text_below(incident, "page", "state");
  return state.empty() ? "none" : state;
}

}  // namespace

std::string text_of(const json::value& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return std::string{value->get_string()};
  return json::serialize(*value);
}

std::string url_component(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const auto plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string incident_line(const json::value& incident) {
  return text_of(incident, "id") + " " + text_of(incident, "state") + " " +
         text_of(incident, "severity") + " #" + text_below(incident, "channel", "name") + ": " +
         text_of(incident, "title");
}

std::string incident_table(const json::value& incidents, std::size_t width, bool colour) {
  Table table{{"ID", "STATE", "SEVERITY", "CHANNEL", "PAGE", "OPENED (UTC)", "TITLE"}};
  if (!incidents.is_array()) return {};
  for (const auto& incident : incidents.get_array())
    table.add({text_of(incident, "id"), text_of(incident, "state"), text_of(incident, "severity"),
               "#" + text_below(incident, "channel", "name"), page_words(incident),
               short_time(text_of(incident, "opened_at")), text_of(incident, "title")});
  return table.empty() ? std::string{} : table.text(width, colour);
}

std::string outbox_table(const json::value& entries, std::size_t width, bool colour) {
  Table table{{"ID", "INCIDENT", "RECEIVER", "EFFECT", "STATE", "ATTEMPTS", "LAST ERROR"}};
  if (!entries.is_array()) return {};
  for (const auto& entry : entries.get_array())
    table.add({text_of(entry, "id"), text_of(entry, "incident"), text_of(entry, "receiver"),
               text_of(entry, "effect"), text_of(entry, "state"), text_of(entry, "attempts"),
               text_of(entry, "last_error")});
  return table.empty() ? std::string{} : table.text(width, colour);
}

std::string status_text(const json::value& status, bool colour) {
  std::string out = text_of(status, "version") + " on " + text_of(status, "host") + " (" +
                    text_of(status, "environment") + "), up " + text_of(status, "uptime") + "\n";
  out += "checks     " + text_of(status, "checks") + ", " + text_of(status, "checks_in_breach") +
         " in breach\n";
  out += "incidents  " + text_of(status, "incidents_live") + " live\n";
  out += "outbox     " + text_of(status, "outbox") + " entries, " + text_of(status, "outbox_dead") +
         " refused\n";
  out += "durable    " +
         coloured(
             text_of(status, "durable") == "true" ? "yes" : "no: " + text_of(status, "store_error"),
             colour) +
         "\n";
  out += "config     " + text_of(status, "config") + ", last reload " +
         (text_of(status, "last_reload_ok") == "true"
              ? "good"
              : "refused: " + text_of(status, "last_reload_error")) +
         "\n";
  if (const auto* halted = member(status, "halted"); halted != nullptr && halted->is_object())
    for (const auto& [receiver, why] : halted->get_object())
      out += "halted     " + std::string{receiver} + ": " + text_of(*halted, receiver) + "\n";
  return out;
}

}  // namespace tocsin::app
