// The commands that ask the agent how it is, and make it prove itself.
#include <iostream>

#include <boost/json.hpp>

#include "agent/app/agent.hpp"
#include "agent/app/command_line.hpp"
#include "agent/app/control_client.hpp"
#include "agent/app/printing.hpp"
#include "agent/app/table.hpp"

namespace tocsin::app {

namespace json = boost::json;

int command_run(const CommonOptions& common) { return Agent{common.config}.run(); }

int command_status(const CommonOptions& common) {
  const auto answer = ask_agent(common, "GET", "/api/v1/status");
  if (!answer) return complain(answer.error());
  std::cout << (common.json ? json::serialize(*answer) + "\n"
                            : status_text(*answer, colour_wanted()));
  return to_int(ExitCode::ok);
}

int command_notify_test(const CommonOptions& common, const std::string& receiver) {
  const auto answer =
      ask_agent(common, "POST", "/api/v1/notify/test", json::object{{"receiver", receiver}});
  if (!answer) return complain(answer.error());
  bool good = true;
  Table table{{"RECEIVER", "RESULT", "DETAIL"}};
  for (const auto& each : answer->as_array()) {
    const auto ok = each.as_object().at("ok").as_bool();
    good = good && ok;
    table.add({text_of(each, "receiver"), ok ? "ok" : "critical", text_of(each, "detail")});
  }
  if (common.json)
    std::cout << json::serialize(*answer) << "\n";
  else if (table.empty())
    std::cout
        << "No receiver is configured: the local room is the issue channel, and nobody is paged.\n";
  else
    std::cout << table.text(terminal_width(), colour_wanted());
  return to_int(good ? ExitCode::ok : ExitCode::failed);
}

int command_drill(const CommonOptions& common, const DrillOptions& options) {
  const auto answer = ask_agent(common, "POST", "/api/v1/drill",
                                json::object{{"check", options.check}, {"for", options.duration}});
  if (!answer) return complain(answer.error());
  if (common.json) {
    std::cout << json::serialize(*answer) << "\n";
    return to_int(ExitCode::ok);
  }
  std::cout << incident_line(*answer) << "\n"
            << "The drill lasts " << options.duration
            << " and clears by itself. Watch it with\n  tocsin incident show "
            << text_of(*answer, "id") << " --config " << common.config << "\n";
  return to_int(ExitCode::ok);
}

}  // namespace tocsin::app
