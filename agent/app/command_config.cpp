// The commands that read the configuration and the code's own declarations.
#include <iostream>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/configuration.hpp"
#include "agent/app/reference.hpp"
#include "agent/config/settings.hpp"

namespace tocsin::app {

namespace json = boost::json;

namespace {

json::object complaint_object(const Complaint& complaint) {
  return {{"file", complaint.where.file ? *complaint.where.file : std::string{}},
          {"line", complaint.where.line},
          {"column", complaint.where.column},
          {"path", complaint.path},
          {"message", complaint.message}};
}

}  // namespace

int command_config_check(const CommonOptions& common, const std::string& file) {
  const auto path = file.empty() ? common.config : file;
  const auto loaded = load_configuration(path);
  const auto good = loaded.settings.has_value();
  if (common.json) {
    json::array complaints;
    for (const auto& complaint : loaded.complaints)
      complaints.push_back(complaint_object(complaint));
    json::array warnings;
    if (good)
      for (const auto& warning : loaded.settings->warnings)
        warnings.push_back(json::string{warning});
    std::cout << json::serialize(
                     json::object{{"ok", good}, {"complaints", complaints}, {"warnings", warnings}})
              << "\n";
  } else if (good) {
    for (const auto& warning : loaded.settings->warnings)
      std::cerr << "warning: " << warning << "\n";
    std::cout << path << ": good, " << loaded.settings->checks.size() << " checks\n";
  } else {
    std::cerr << loaded.report;
  }
  return to_int(good ? ExitCode::ok : ExitCode::bad_configuration);
}

int command_config_show(const CommonOptions& common) {
  const auto loaded = load_configuration(common.config);
  if (!loaded.settings) {
    std::cerr << loaded.report;
    return to_int(ExitCode::bad_configuration);
  }
  std::cout << config::show(*loaded.settings);
  return to_int(ExitCode::ok);
}

int command_config_schema() {
  std::cout << config::schema(check_registry()) << "\n";
  return to_int(ExitCode::ok);
}

int command_docs(const std::string& what) {
  if (what == "checks")
    std::cout << checks_page();
  else if (what == "config")
    std::cout << configuration_page();
  else
    std::cout << metrics_page();
  return to_int(ExitCode::ok);
}

}  // namespace tocsin::app
