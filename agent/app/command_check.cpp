// `tocsin check`: every check once, as a table a person likes to read, exiting as a monitoring
// plugin would.
#include <algorithm>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "agent/app/check_memories.hpp"
#include "agent/app/command_line.hpp"
#include "agent/app/configuration.hpp"
#include "agent/app/policies.hpp"
#include "agent/app/real_world.hpp"
#include "agent/app/table.hpp"
#include "agent/policy/phrases.hpp"
#include "tocsin/async/with_deadline.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::app {

namespace {

/// One check's only run.
struct Look {
  const config::CheckSetting* setting{};
  Observation observation{};
  Verdict verdict{};
  Evidence evidence{};  ///< Of a breach.
};

/// As a terminal may show it.
Evidence shown(Evidence evidence) {
  const auto plain = [](std::string& text) {
    text = policy::one_line(text, limits::evidence_line_characters);
  };
  plain(evidence.probable_cause);
  for (auto& line : evidence.lines) plain(line);
  return evidence;
}

/// What the check has to say of its breach.
Task<Evidence> evidence_of(Check& check, CheckContext& context) {
  auto gathering = check.evidence(context);
  co_return co_await std::move(gathering);
}

asio::awaitable<void> look(RealWorld& world, schedule::Surroundings around, Memory& memory,
                           const config::CheckSetting& setting, Look& into) {
  const std::function<void()> nudge = [] {};
  const auto begun = world.clock.steady();
  CheckContext context{.files = around.files,
                       .clock = world.clock,
                       .network = around.network,
                       .processes = around.processes,
                       .helper = around.helper,
                       .pressure = around.pressure,
                       .kernel_clock = around.kernel_clock,
                       .memory = memory,
                       .nudge = nudge,
                       .deadline = begun + setting.timeout};
  auto run = setting.check->run(context);
  auto bounded = with_deadline(world.clock, context.deadline, std::move(run),
                               "did not finish within " + describe(setting.timeout));
  auto outcome = co_await std::move(bounded);
  const auto now = world.clock.now();
  Look seen{.observation = {.check = setting.name,
                            .at = now,
                            .took = now.steady - begun,
                            .outcome = std::move(outcome)}};
  seen.verdict = policy::judge(alert_policy(setting), setting.check->specs(), seen.observation);
  if (seen.verdict.severity != Severity::ok && seen.observation.outcome) {
    context.deadline = now.steady + limits::evidence_wait;
    auto gathering = evidence_of(*setting.check, context);
    auto in_time = with_deadline(world.clock, context.deadline, std::move(gathering));
    auto evidence = co_await std::move(in_time);
    if (evidence) seen.evidence = shown(*std::move(evidence));
  }
  seen.setting = &setting;
  into = std::move(seen);
}

/// What is wrong and, where that is known, why.
std::string breach_text(const Look& look) {
  const auto& cause = look.evidence.probable_cause;
  return look.verdict.why + (cause.empty() ? "" : ": " + cause);
}

/// The numbers of a run, as many as fit a line.
std::string sample_text(const Look& look) {
  if (!look.observation.outcome) return look.observation.outcome.error().detail;
  std::string out;
  const auto specs = look.setting->check->specs();
  for (const auto& sample : *look.observation.outcome) {
    const auto& spec = specs[sample.spec];
    out += (out.empty() ? "" : ", ") + spec.name +
           (sample.instance.empty() ? "" : "(" + sample.instance + ")") + " " +
           describe_quantity(sample.value, spec.unit);
  }
  return out;
}

boost::json::object look_object(const Look& look) {
  boost::json::array samples;
  if (look.observation.outcome)
    for (const auto& sample : *look.observation.outcome)
      samples.push_back(
          boost::json::object{{"name", look.setting->check->specs()[sample.spec].name},
                              {"instance", sample.instance},
                              {"value", sample.value}});
  return {{"name", look.setting->name},
          {"type", look.setting->type},
          {"severity", std::string{to_string(look.verdict.severity)}},
          {"why", look.verdict.why},
          {"probable_cause", look.evidence.probable_cause},
          {"evidence", boost::json::array(look.evidence.lines.begin(), look.evidence.lines.end())},
          {"took_seconds", std::chrono::duration<double>(look.observation.took).count()},
          {"samples", samples}};
}

int plugin_exit(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return 0;
    case Severity::warning:
      return 1;
    case Severity::critical:
      return 2;
    case Severity::unknown:
      return 3;
  }
  return 3;
}

/// What the checks in breach know of it, in full: a table's line is cut to the terminal.
std::string evidence_text(const std::vector<Look>& looks) {
  std::string out;
  for (const auto& each : looks) {
    if (each.evidence.lines.empty()) continue;
    out += "\n" + each.setting->name + ":\n";
    for (const auto& line : each.evidence.lines) out += "  " + line + "\n";
  }
  return out;
}

void print(const CommonOptions& common, const std::vector<Look>& looks, Severity worst,
           bool in_full) {
  if (common.json) {
    boost::json::array out;
    for (const auto& each : looks) out.push_back(look_object(each));
    std::cout << boost::json::serialize(out) << "\n";
    return;
  }
  Table table{{"CHECK", "TYPE", "STATE", "TOOK", "WHAT"}};
  for (const auto& each : looks)
    table.add({each.setting->name, each.setting->type,
               std::string{to_string(each.verdict.severity)}, describe(each.observation.took),
               each.verdict.severity == Severity::ok ? sample_text(each) : breach_text(each)});
  const auto colour = colour_wanted();
  std::cout << table.text(terminal_width(), colour);
  if (in_full) std::cout << evidence_text(looks);
  const auto bad = std::count_if(looks.begin(), looks.end(), [](const Look& each) {
    return each.verdict.severity != Severity::ok;
  });
  std::cout << "\n"
            << looks.size() << (looks.size() == 1 ? " check, " : " checks, ") << bad
            << " in breach; worst: " << coloured(to_string(worst), colour) << "\n";
}

}  // namespace

int command_check(const CommonOptions& common, const std::vector<std::string>& names) {
  const auto loaded = load_configuration(common.config);
  if (!loaded.settings) {
    std::cerr << loaded.report;
    return plugin_exit(Severity::unknown);
  }
  const auto& checks = loaded.settings->checks;
  std::vector<std::string_view> known;
  for (const auto& check : checks) known.push_back(check.name);
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    std::cerr << "tocsin: no check \"" << name << "\""
              << (near.empty() ? std::string{} : "; did you mean \"" + std::string{near} + "\"?")
              << "\n";
    return plugin_exit(Severity::unknown);
  }
  RealWorld world;
  const auto around = world.surroundings();
  CheckMemories memories{{}, [](const CheckMemory&) {}};  // What is kept is the agent's.
  std::vector<Look> looks(checks.size());
  std::size_t wanted = 0;
  for (const auto& check : checks) {
    if (!names.empty() && std::find(names.begin(), names.end(), check.name) == names.end())
      continue;
    asio::co_spawn(world.loop, look(world, around, memories.of(check.name), check, looks[wanted++]),
                   [](std::exception_ptr fault) {
                     if (fault) std::rethrow_exception(fault);
                   });
  }
  looks.resize(wanted);
  while (std::any_of(looks.begin(), looks.end(),
                     [](const Look& each) { return each.setting == nullptr; }))
    world.loop.run_one();
  auto worst = Severity::ok;
  for (const auto& each : looks) worst = worse(worst, each.verdict.severity);
  print(common, looks, worst, !names.empty());
  return plugin_exit(worst);
}

}  // namespace tocsin::app
