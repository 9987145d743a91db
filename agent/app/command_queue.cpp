// The commands that look into the outbox.
#include <iostream>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/control_client.hpp"
#include "agent/app/printing.hpp"
#include "agent/app/table.hpp"

namespace tocsin::app {

namespace json = boost::json;

int command_queue_list(const CommonOptions& common) {
  const auto answer = ask_agent(common, "GET", "/api/v1/outbox");
  if (!answer) return complain(answer.error());
  if (common.json) {
    std::cout << json::serialize(*answer) << "\n";
    return to_int(ExitCode::ok);
  }
  const auto text = outbox_table(*answer, terminal_width(), colour_wanted());
  std::cout
      << (text.empty()
              ? std::
                    string{"The outbox is empty: everything that was decided has been delivered.\n"}
              : text);
  return to_int(ExitCode::ok);
}

int command_queue_retry(const CommonOptions& common, const std::string& id) {
  const auto answer = ask_agent(common, "POST", "/api/v1/outbox/" + url_component(id) + "/retry");
  if (!answer) return complain(answer.error());
  std::cout << (common.json ? json::serialize(*answer) : "entry " + id + " goes out again now")
            << "\n";
  return to_int(ExitCode::ok);
}

int command_queue_drop(const CommonOptions& common, const std::string& id) {
  const auto answer = ask_agent(common, "POST", "/api/v1/outbox/" + url_component(id) + "/drop");
  if (!answer) return complain(answer.error());
  std::cout << (common.json ? json::serialize(*answer) : "entry " + id + " was dropped") << "\n";
  return to_int(ExitCode::ok);
}

}  // namespace tocsin::app
