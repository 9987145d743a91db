#include "agent/app/command_line.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "agent/app/version.hpp"

namespace tocsin::app {

namespace {

constexpr auto exit_codes =
    "\nExit codes: 0 done · 1 refused or failed, the sentence says why · 2 wrong usage · 3 bad "
    "configuration ·\n"
    "4 the agent does not answer. `check` exits as a monitoring plugin: 0 ok, 1 warning, 2 "
    "critical, 3 unknown.\n";

std::string login_name() {
  if (const char* name = std::getenv("SUDO_USER"); name != nullptr && *name != '\0') return name;
  const auto* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(geteuid());
}

/// Everything the parser fills, and the command it chose.
struct Parsed {
  CommonOptions common{};
  std::vector<std::string> names{};
  std::string file{}, id{}, text{}, why{}, receiver{}, what{};
  bool all{false};
  OpenOptions open{};
  CloseOptions close{};
  DrillOptions drill{};
  BeatOptions beat{};
  std::function<int()> chosen{};
};

void add_incident_commands(CLI::App& app, Parsed& p) {
  auto& incident = *app.add_subcommand("incident", "Look at incidents and work on them");
  incident.require_subcommand(1);
  incident.footer(
      "Examples:\n  tocsin incident list\n  tocsin incident show nginx-2211\n"
      "  tocsin incident set 01jd current_step=\"failing over to web-2\"\n"
      "  tocsin incident close 01jd --root-cause \"disk full\" --fix \"log rotation\"");
  const auto verb = [&](const char* name, const char* help, std::function<int()> run) {
    auto* sub = incident.add_subcommand(name, help);
    sub->callback([&p, run] { p.chosen = run; });
    return sub;
  };
  auto* list = verb("list", "All that are not closed, newest first",
                    [&p] { return command_incident_list(p.common, p.all); });
  list->add_flag("--all", p.all, "Closed and archived ones too");
  verb("show", "The incident's room: summary, evidence, pages, messages",
       [&p] { return command_incident_show(p.common, p.id); })
      ->add_option("ID", p.id, "Incident id, an unambiguous part of it, or its channel")
      ->required();
  verb("ack", "Say that you are on it: escalation stops",
       [&p] { return command_incident_ack(p.common, p.id); })
      ->add_option("ID", p.id)
      ->required();
  auto* set = verb("set", "Set fields of the summary",
                   [&p] { return command_incident_set(p.common, p.id, p.names); });
  set->add_option("ID", p.id)->required();
  set->add_option("FIELD=VALUE", p.names,
                  "environment component probable_cause frequency type recovery_estimate "
                  "working_on_it current_step "
                  "next_step source how_often also_affected impact")
      ->required();
  auto* say = verb("say", "Post to the channel",
                   [&p] { return command_incident_say(p.common, p.id, p.text); });
  say->add_option("ID", p.id)->required();
  say->add_option("TEXT", p.text)->required();
  auto* resolve = verb("resolve", "Service is restored",
                       [&p] { return command_incident_resolve(p.common, p.id, p.why); });
  resolve->add_option("ID", p.id)->required();
  resolve->add_option("--why", p.why, "Needed while alerts still fire");
  auto* open =
      verb("open", "Open one by hand", [&p] { return command_incident_open(p.common, p.open); });
  open->add_option("--topic", p.open.topic, "What it is about: names the channel")->required();
  open->add_option("--why", p.open.why, "What is wrong, in one sentence")->required();
  open->add_option("--severity", p.open.severity, "critical or warning")->capture_default_str();
  open->add_option("--component", p.open.component, "Component responsible");
  auto* close = verb("close", "Root cause found and fixed, or waived",
                     [&p] { return command_incident_close(p.common, p.close); });
  close->add_option("ID", p.close.id)->required();
  close->add_option("--root-cause", p.close.root_cause, "What caused it");
  close->add_option("--fix", p.close.fix, "What keeps it from coming back");
  close->add_option("--waive", p.close.waive, "Why no root cause and fix are owed");
  close->add_option("--archive-after", p.close.archive_after,
                    "Notice before the channel is archived, e.g. 24h");
}

void add_config_commands(CLI::App& app, Parsed& p) {
  auto& config = *app.add_subcommand("config", "Check and show the configuration");
  config.require_subcommand(1);
  config.footer(
      "Examples:\n  tocsin config check /etc/tocsin/tocsin.yaml\n  tocsin config schema > "
      "tocsin.schema.json");
  auto* check = config.add_subcommand("check", "Report every fault, with its place");
  check->add_option("FILE", p.file, "Default: the file of --config");
  check->callback([&p] { p.chosen = [&p] { return command_config_check(p.common, p.file); }; });
  config.add_subcommand("show", "As it is in force, secrets hidden")->callback([&p] {
    p.chosen = [&p] { return command_config_show(p.common); };
  });
  config.add_subcommand("schema", "JSON Schema, for editors")->callback([&p] {
    p.chosen = [] { return command_config_schema(); };
  });
}

void add_queue_commands(CLI::App& app, Parsed& p) {
  auto& queue =
      *app.add_subcommand("queue", "The outbox: what was decided and is not delivered yet");
  queue.require_subcommand(1);
  queue.add_subcommand("list", "Entries, refused ones included")->callback([&p] {
    p.chosen = [&p] { return command_queue_list(p.common); };
  });
  auto* retry = queue.add_subcommand("retry", "Deliver an entry again, now");
  retry->add_option("ID", p.id)->required();
  retry->callback([&p] { p.chosen = [&p] { return command_queue_retry(p.common, p.id); }; });
  auto* drop = queue.add_subcommand("drop", "Give an entry up; the timeline says so");
  drop->add_option("ID", p.id)->required();
  drop->callback([&p] { p.chosen = [&p] { return command_queue_drop(p.common, p.id); }; });
}

void add_beat_command(CLI::App& app, Parsed& p) {
  auto& beat =
      *app.add_subcommand("beat", "Report to a heartbeat, or run a job and report how it went");
  auto& options = p.beat;
  beat.add_option("NAME", options.name, "The heartbeat's name")->required();
  auto* command = beat.add_option(
      "COMMAND", options.command,
      "After --: the job and its arguments. It keeps its input, output, signals and "
      "exit code, and is never held up or failed for want of an agent");
  auto* start = beat.add_flag("--start", options.start, "A run has begun");
  auto* fail = beat.add_flag("--fail", options.fail, "It ended badly");
  auto* log = beat.add_flag("--log", options.log, "It has something to say: see --note");
  auto* code = beat.add_option("--exit", options.exit_code, "It ended with this code; 0 is well")
                   ->check(CLI::Range(0, 255));
  start->excludes(fail)->excludes(log)->excludes(code);
  fail->excludes(log)->excludes(code);
  log->excludes(code);
  for (auto* each : {start, fail, log, code}) each->excludes(command);
  beat.add_option("--note", options.note, "What people should read when it goes wrong");
  beat.add_option("--run", options.run, "Names the run, where several may overlap");
  beat.footer(
      "Examples:\n  15 3 * * * root tocsin beat nightly-import -- /usr/local/bin/import --all\n"
      "  tocsin beat nightly-import                     # it ended well\n"
      "  tocsin beat nightly-import --start --run 42\n"
      "  tocsin beat nightly-import --exit $? --run 42 --note \"$(tail -n 3 import.log)\"\n"
      "  curl -X POST --unix-socket /var/lib/tocsin/control.sock "
      "http://tocsin/beat/nightly-import");
  beat.callback([&p] { p.chosen = [&p] { return command_beat(p.common, p.beat); }; });
}

void add_plain_commands(CLI::App& app, Parsed& p) {
  app.add_subcommand("run", "The agent: watch, decide, convene, page")->callback([&p] {
    p.chosen = [&p] { return command_run(p.common); };
  });
  auto* check = app.add_subcommand(
      "check", "Run checks once and print a table; exits as a monitoring plugin");
  check->add_option("NAME", p.names, "Only these checks, with all that is known of a breach");
  check->footer("Examples:\n  tocsin check\n  tocsin check nginx root-disk --json");
  check->callback([&p] { p.chosen = [&p] { return command_check(p.common, p.names); }; });
  app.add_subcommand("status", "How the agent is doing")->callback([&p] {
    p.chosen = [&p] { return command_status(p.common); };
  });
  auto* drill = app.add_subcommand(
      "drill", "Force a breach end to end; every message says DRILL; clears by itself");
  drill->add_option("CHECK", p.drill.check, "Whose topic, owners and evidence to use");
  drill->add_option("--for", p.drill.duration, "How long the breach lasts")->capture_default_str();
  drill->callback([&p] { p.chosen = [&p] { return command_drill(p.common, p.drill); }; });
  auto& notify = *app.add_subcommand("notify", "Receivers");
  notify.require_subcommand(1);
  auto* test = notify.add_subcommand(
      "test", "Prove credentials and reachability without opening an incident");
  test->add_option("RECEIVER", p.receiver, "slack, pagerduty/SERVICE; default: all");
  test->callback([&p] { p.chosen = [&p] { return command_notify_test(p.common, p.receiver); }; });
  auto* docs = app.add_subcommand("docs", "Reference pages, made from the code (Markdown)");
  docs->add_option("PAGE", p.what)
      ->required()
      ->check(CLI::IsMember({"checks", "config", "metrics"}));
  docs->callback([&p] { p.chosen = [&p] { return command_docs(p.what); }; });
  app.add_subcommand("completions", "Bash completions: source <(tocsin completions)")
      ->callback([&p] { p.chosen = [] { return command_completions(); }; });
  app.add_subcommand("version", "Version and build")->callback([&p] {
    p.chosen = [] {
      std::cout << version_line() << "\n";
      return to_int(ExitCode::ok);
    };
  });
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{
      "tocsin watches this server; when something breaks it opens the issue channel and pages.",
      "tocsin"};
  Parsed parsed;
  parsed.common.by = login_name();
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", parsed.common.config, "Configuration file")->capture_default_str();
  app.add_flag("--json", parsed.common.json, "The same objects as the API, for programs");
  app.add_option("--by", parsed.common.by, "Who acts")->capture_default_str();
  app.set_version_flag("--version", version_line());
  app.footer(std::string{"Examples:\n  tocsin run --config tocsin.yaml\n  tocsin check\n  tocsin "
                         "drill && tocsin incident list\n"} +
             exit_codes);
  add_plain_commands(app, parsed);
  add_config_commands(app, parsed);
  add_incident_commands(app, parsed);
  add_queue_commands(app, parsed);
  add_beat_command(app, parsed);
  for (auto* sub : app.get_subcommands({})) {
    sub->fallthrough();
    for (auto* verb : sub->get_subcommands({})) verb->fallthrough();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const auto code = app.exit(e);
    return code == 0 ? 0 : to_int(ExitCode::usage);
  }
  try {
    return parsed.chosen();
  } catch (const std::exception& e) {
    std::cerr << "tocsin: internal fault: " << e.what() << "\n";
    return to_int(ExitCode::failed);
  }
}

}  // namespace tocsin::app
