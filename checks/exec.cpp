#include "checks/exec.hpp"

#include <algorithm>
#include <map>

#include "checks/perfdata.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct ExecParams {
  std::vector<std::string> command{};
  bool perfdata{true};
  std::map<std::string, std::string> environment{};
  static constexpr auto fields() {
    return std::tuple{
        required_field("command", &ExecParams::command,
                       "The program and its arguments, as a list; no shell reads it."),
        field("perfdata", &ExecParams::perfdata,
              "Whether the numbers that the plugin prints after '|' become samples."),
        field("environment", &ExecParams::environment,
              "Variables for it, beside PATH, HOME and LC_ALL=C.")};
  }
};

enum : std::uint16_t { state, seconds, perfdata };

const std::vector<SampleSpec>& exec_specs() {
  static const std::vector<SampleSpec> specs{
      {"state", Unit::none, "What the plugin says: 0 ok, 1 warning, 2 critical."},
      {"seconds", Unit::seconds, "How long it ran."},
      {"perfdata", Unit::none,
       "The plugin's numbers in base units (seconds, bytes, ratios); rules name their labels.",
       "label", true},
  };
  return specs;
}

constexpr int unknown_state = 3;

class ExecCheck final : public Check {
 public:
  ExecCheck(std::string /*name*/, ExecParams params) : params_{std::move(params)} {
    const auto& path = params_.command.front();
    program_ = path.substr(path.rfind('/') + 1);
  }

  std::span<const SampleSpec> specs() const override { return exec_specs(); }

  Task<Samples> run(CheckContext& context) override {
    CommandRequest request;
    request.command = params_.command;
    for (const auto& [name, value] : params_.environment)
      request.environment.push_back(name + "=" + value);
    request.output_bytes_max = limits::plugin_output_bytes;
    request.deadline = reply_by(context);
    const auto began = context.clock.steady();
    auto running = context.processes.run(std::move(request));
    auto outcome = co_await std::move(running);
    said_ = {};
    error_line_.clear();
    if (!outcome) co_return outcome.error();
    said_ = parse_plugin_output(outcome->output);
    const auto error_line = split(outcome->error_output, '\n').front();
    error_line_ = cut_characters(clean_utf8(trim(error_line)), limits::evidence_line_characters);
    if (auto unknown = why_unknown(*outcome, context.clock.steady() - began)) co_return *unknown;
    Samples samples;
    put(samples, state, outcome->exit_code);
    put(samples, seconds, std::chrono::duration<double>(outcome->took).count());
    if (!params_.perfdata) co_return samples;
    for (const auto& value : said_.values) put(samples, perfdata, value.value, value.label);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    if (!said_.first_line.empty()) {
      evidence.lines.push_back(said_.first_line);
      evidence.probable_cause = said_.first_line;
    }
    for (const auto& value : said_.values) {
      const bool critical = value.critical && value.critical->alerts(value.as_written);
      const bool warning = value.warning && value.warning->alerts(value.as_written);
      if (!critical && !warning) continue;
      evidence.lines.push_back(value.label + " is " + describe_number(value.as_written, 6) +
                               value.unit + ": beyond its own " +
                               (critical ? "critical" : "warning") + " range");
    }
    for (const auto& line : said_.long_lines) evidence.lines.push_back(line);
    if (!error_line_.empty()) evidence.lines.push_back("stderr: " + error_line_);
    if (evidence.lines.size() > limits::evidence_lines)
      evidence.lines.resize(limits::evidence_lines);
    for (auto& line : evidence.lines) line = cut_characters(line, limits::evidence_line_characters);
    co_return evidence;
  }

 private:
  /// Its own words, for a sentence.
  std::string words() const {
    if (!said_.first_line.empty()) return said_.first_line;
    return error_line_.empty() ? "it printed nothing" : error_line_;
  }

  /// Why there is no verdict, if there is none.
  std::optional<Error> why_unknown(const CommandOutcome& outcome, Duration took) const {
    if (outcome.timed_out)
      return Error{Errc::timed_out, program_ + " was ended after " + describe(took) +
                                        " without a verdict" + after_colon()};
    if (outcome.signal != 0)
      return Error{Errc::protocol, program_ + " was ended by signal " +
                                       std::to_string(outcome.signal) + after_colon()};
    if (outcome.exit_code == unknown_state)
      return Error{Errc::refused, program_ + " says UNKNOWN: " + words()};
    if (outcome.exit_code < 0 || outcome.exit_code > unknown_state)
      return Error{Errc::protocol, program_ + " ended with exit code " +
                                       std::to_string(outcome.exit_code) +
                                       ", which is no plugin state (0 to 3): " + words()};
    return std::nullopt;
  }

  std::string after_colon() const {
    return said_.first_line.empty() && error_line_.empty() ? std::string{} : ": " + words();
  }

  ExecParams params_;
  std::string program_;
  PluginOutput said_{};
  std::string error_line_{};
};

void judge(const ExecParams& params, const Node& map, Decoding& decoding) {
  auto inner = decoding.at("command");
  const auto* node = map.find("command");
  if (params.command.empty() || params.command.front().empty())
    inner.complain(*node,
                   "expected the program first, as in [/usr/lib/nagios/plugins/check_swap, "
                   "-w, 20%, -c, 10%]");
  for (const auto& [name, value] : params.environment) {
    if (!name.empty() && name.find('=') == std::string::npos) continue;
    auto at = decoding.at("environment");
    at.complain(*map.find("environment"), "a variable's name is not empty and has no '=' in it");
  }
}

}  // namespace

CheckType exec_check() {
  return check_type<ExecParams, ExecCheck>(
      {
          .name = "exec",
          .summary = "A monitoring plugin or any command that ends like one: its verdict, how long "
                     "it took, and its numbers.",
          .samples = exec_specs(),
          .default_critical = {"state == 2"},
          .default_warning = {"state == 1"},
          .example = "name: swap\n"
                     "type: exec\n"
                     "command: [/usr/lib/nagios/plugins/check_swap, -w, 20%, -c, 10%]\n",
      },
      judge);
}

}  // namespace tocsin
