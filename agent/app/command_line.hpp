#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tocsin::app {

/// What every command takes, before or after its name.
struct CommonOptions {
  std::string config{"/etc/tocsin/tocsin.yaml"};
  bool json{false};
  std::string by{};  ///< Who acts; default: the login name.
};

/// Exit codes of every command but `check` (which exits as a monitoring plugin: 0 ok, 1 warning, 2
/// critical, 3 unknown).
enum class ExitCode : int {
  ok = 0,
  failed = 1,  ///< It was understood, and could not be done; the sentence says why.
  usage = 2,   ///< The command line was wrong.
  bad_configuration = 3,
  no_agent = 4,  ///< The agent does not answer on its control socket.
};
inline int to_int(ExitCode code) { return static_cast<int>(code); }

/// The whole program: parses, runs the command, returns the exit code. Nothing throws past it.
int run_command_line(int argc, char** argv);

// The commands. Each prints to standard output (its result) and standard error (what went wrong).

int command_run(const CommonOptions& common);
int command_check(const CommonOptions& common, const std::vector<std::string>& names);
int command_config_check(const CommonOptions& common, const std::string& file);
int command_config_show(const CommonOptions& common);
int command_config_schema();
int command_docs(const std::string& what);
int command_status(const CommonOptions& common);
int command_notify_test(const CommonOptions& common, const std::string& receiver);

int command_incident_list(const CommonOptions& common, bool all);
int command_incident_show(const CommonOptions& common, const std::string& id);
int command_incident_ack(const CommonOptions& common, const std::string& id);
int command_incident_set(const CommonOptions& common, const std::string& id,
                         const std::vector<std::string>& fields);
int command_incident_say(const CommonOptions& common, const std::string& id,
                         const std::string& text);
int command_incident_resolve(const CommonOptions& common, const std::string& id,
                             const std::string& why);
struct OpenOptions {
  std::string topic{};
  std::string why{};
  std::string severity{"critical"};
  std::string component{};
};
int command_incident_open(const CommonOptions& common, const OpenOptions& options);
struct CloseOptions {
  std::string id{};
  std::string root_cause{}, fix{}, waive{}, archive_after{};
};
int command_incident_close(const CommonOptions& common, const CloseOptions& options);

int command_queue_list(const CommonOptions& common);
int command_queue_retry(const CommonOptions& common, const std::string& id);
int command_queue_drop(const CommonOptions& common, const std::string& id);

struct DrillOptions {
  std::string check{};
  std::string duration{"20s"};
};
int command_drill(const CommonOptions& common, const DrillOptions& options);
struct BeatOptions {
  std::string name{};
  bool start{false}, fail{false}, log{false};  ///< Neither, and no exit code: ok.
  std::optional<int> exit_code{};
  std::string run{}, note{};
  std::vector<std::string> command{};  ///< Run it, and report how that went.
};
/// With a command: its exit code, whatever became of the report.
int command_beat(const CommonOptions& common, const BeatOptions& options);
int command_completions();

}  // namespace tocsin::app
