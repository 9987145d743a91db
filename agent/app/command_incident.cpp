// The commands that talk to the agent about incidents.
#include <iostream>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/control_client.hpp"
#include "agent/app/printing.hpp"
#include "agent/app/table.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::app {

namespace json = boost::json;

namespace {

std::string target(const std::string& id, std::string_view action = {}) {
  auto out = "/api/v1/incidents/" + url_component(id);
  if (!action.empty()) out += "/" + std::string{action};
  return out;
}

int print_outcome(const CommonOptions& common, const Result<json::value>& answer) {
  if (!answer) return complain(answer.error());
  if (common.json)
    std::cout << json::serialize(*answer) << "\n";
  else
    std::cout << incident_line(*answer) << "\n";
  return to_int(ExitCode::ok);
}

}  // namespace

int command_incident_list(const CommonOptions& common, bool all) {
  const auto answer =
      ask_agent(common, "GET", all ? "/api/v1/incidents?all=true" : "/api/v1/incidents");
  if (!answer) return complain(answer.error());
  if (common.json) {
    std::cout << json::serialize(*answer) << "\n";
    return to_int(ExitCode::ok);
  }
  const auto text = incident_table(*answer, terminal_width(), colour_wanted());
  std::cout << (text.empty()
                    ? std::string{all ? "No incident yet.\n" : "No incident that is not closed.\n"}
                    : text);
  return to_int(ExitCode::ok);
}

int command_incident_show(const CommonOptions& common, const std::string& id) {
  if (common.json) {
    const auto answer = ask_agent(common, "GET", target(id));
    if (!answer) return complain(answer.error());
    std::cout << json::serialize(*answer) << "\n";
    return to_int(ExitCode::ok);
  }
  // The agent draws the room, for it alone has the zone and the wording.
  const auto room = ask_agent(common, "GET",
                              target(id, "room") + "?width=" + std::to_string(terminal_width()) +
                                  (colour_wanted() ? "&colour=true" : ""));
  if (!room) return complain(room.error());
  std::cout << text_of(*room, "text");
  return to_int(ExitCode::ok);
}

int command_incident_ack(const CommonOptions& common, const std::string& id) {
  return print_outcome(
      common, ask_agent(common, "POST", target(id, "ack"), json::object{{"by", common.by}}));
}

int command_incident_set(const CommonOptions& common, const std::string& id,
                         const std::vector<std::string>& fields) {
  json::object values;
  for (const auto& each : fields) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::cerr << "tocsin: expected FIELD=VALUE, such as current_step=\"failing over\"; found \""
                << each << "\"\n";
      return to_int(ExitCode::usage);
    }
    values[each.substr(0, equals)] = each.substr(equals + 1);
  }
  return print_outcome(common, ask_agent(common, "POST", target(id, "fields"),
                                         json::object{{"by", common.by}, {"fields", values}}));
}

int command_incident_say(const CommonOptions& common, const std::string& id,
                         const std::string& text) {
  return print_outcome(common, ask_agent(common, "POST", target(id, "messages"),
                                         json::object{{"by", common.by}, {"text", text}}));
}

int command_incident_resolve(const CommonOptions& common, const std::string& id,
                             const std::string& why) {
  return print_outcome(common, ask_agent(common, "POST", target(id, "resolve"),
                                         json::object{{"by", common.by}, {"why", why}}));
}

int command_incident_open(const CommonOptions& common, const OpenOptions& options) {
  return print_outcome(common, ask_agent(common, "POST", "/api/v1/incidents",
                                         json::object{{"by", common.by},
                                                      {"topic", options.topic},
                                                      {"why", options.why},
                                                      {"severity", options.severity},
                                                      {"component", options.component}}));
}

int command_incident_close(const CommonOptions& common, const CloseOptions& options) {
  json::object body{{"by", common.by}};
  if (!options.root_cause.empty()) body["root_cause"] = options.root_cause;
  if (!options.fix.empty()) body["fix"] = options.fix;
  if (!options.waive.empty()) body["waive"] = options.waive;
  if (!options.archive_after.empty()) body["archive_after"] = options.archive_after;
  return print_outcome(common, ask_agent(common, "POST", target(options.id, "close"), body));
}

}  // namespace tocsin::app
