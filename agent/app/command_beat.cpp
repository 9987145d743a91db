// `tocsin beat`: a job says that it began, that it ended, and how. Whatever becomes of that, the
// job goes on.
#include <functional>
#include <iostream>
#include <optional>
#include <random>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "agent/app/beat_spool.hpp"
#include "agent/app/command_line.hpp"
#include "agent/app/control_client.hpp"
#include "agent/app/printing.hpp"
#include "agent/config/settings.hpp"
#include "agent/runtime/foreground.hpp"
#include "agent/runtime/real_clock.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::app {

namespace {

/// How long a job is held up by an agent that does not answer, at most.
constexpr Duration beat_patience = std::chrono::seconds{2};
/// What shells say of a program that is not there, or may not be run.
constexpr int not_found = 127;
constexpr int not_runnable = 126;

std::string fresh_run_id() {
  std::random_device chance;
  return fmt::format("{:08x}{:08x}", chance(), chance());
}

/// The folder of the agent's state. A job may run as somebody who cannot read the configuration:
/// then it is where it is by default.
std::string state_dir_of(const CommonOptions& common) {
  try {
    const auto socket = control_socket(common.config);
    if (socket) return socket->substr(0, socket->rfind('/'));
  } catch (const std::exception&) {  // Then by default, too.
  }
  return config::Settings{}.state_dir;
}

/// "/beat/NAME/WHAT?rid=RUN&took=…".
std::string target_of(const std::string& name, const Beat& beat) {
  std::string what;
  switch (beat.kind) {
    case Beat::Kind::start:
      what = "start";
      break;
    case Beat::Kind::ok:
      what = "ok";
      break;
    case Beat::Kind::fail:
      what = "fail";
      break;
    case Beat::Kind::exit:
      what = "exit/" + std::to_string(beat.exit_code);
      break;
    case Beat::Kind::log:
      what = "log";
      break;
  }
  auto target = "/beat/" + url_component(name) + "/" + what + "?rid=" + url_component(beat.run);
  if (beat.took)
    target += "&took=" + to_config(std::chrono::floor<std::chrono::milliseconds>(*beat.took));
  return target;
}

/// What became of a report.
struct Reported {
  Result<boost::json::value> answer{boost::json::value{}};
  std::string warning{};
};

Reported try_to_report(const std::string& state_dir, const std::string& name, const Beat& beat) {
  Reported out;
  out.answer = ask_socket(state_dir + "/control.sock", {.method = "POST",
                                                        .target = target_of(name, beat),
                                                        .body = beat.note,
                                                        .content_type = "text/plain; charset=utf-8",
                                                        .patience = beat_patience});
  if (out.answer) return out;
  const auto& error = out.answer.error();
  out.warning = "tocsin beat " + name + ": not reported: " + error.detail;
  if (error.code != Errc::unreachable) return out;
  const auto folder = beat_spool(state_dir);
  if (spool_beat(folder, {.check = name, .beat = beat, .file = {}}))
    out.warning = "tocsin beat " + name + ": " + error.detail + "; it will find the beat in " +
                  folder + " when it starts";
  return out;
}

/// Tells the agent, or leaves the beat where it finds it when it starts. Throws nothing: a job must
/// not suffer from it.
Reported report(const std::string& state_dir, const std::string& name, const Beat& beat) noexcept {
  try {
    return try_to_report(state_dir, name, beat);
  } catch (const std::exception& thrown) {
    const std::string what{thrown.what()};
    return {Error{Errc::internal, what}, "tocsin beat " + name + ": not reported: " + what};
  }
}

int beat_once(const CommonOptions& common, const BeatOptions& options) {
  Beat beat{.kind = Beat::Kind::ok,
            .run = options.run,
            .at = runtime::RealClock{}.now(),
            .note = options.note};
  if (options.start) beat.kind = Beat::Kind::start;
  if (options.fail) beat.kind = Beat::Kind::fail;
  if (options.log) beat.kind = Beat::Kind::log;
  if (options.exit_code) {
    beat.kind = Beat::Kind::exit;
    beat.exit_code = *options.exit_code;
  }
  const auto reported = report(state_dir_of(common), options.name, beat);
  if (!reported.answer) {
    std::cerr << reported.warning << "\n";
    // A script that stops at the first fault must not stop for want of an agent; a wrong name is
    // something else.
    return to_int(reported.answer.error().code == Errc::refused ? ExitCode::failed : ExitCode::ok);
  }
  if (common.json) std::cout << boost::json::serialize(*reported.answer) << "\n";
  return to_int(ExitCode::ok);
}

/// Fills in how the job ended.
void conclude(Beat& beat, const Result<runtime::ForegroundExit>& outcome) {
  if (!outcome) {
    beat.exit_code = outcome.error().code == Errc::missing ? not_found : not_runnable;
    beat.note = outcome.error().detail;
    return;
  }
  beat.exit_code = outcome->exit_code;
  beat.took = outcome->took;
  if (outcome->signal == 0) return;
  beat.note += (beat.note.empty() ? "" : "\n") + runtime::describe_signal(outcome->signal);
}

int run_and_report(const CommonOptions& common, const BeatOptions& options) {
  runtime::RealClock clock;
  Beat beat{.kind = Beat::Kind::start,
            .run = options.run.empty() ? fresh_run_id() : options.run,
            .at = clock.now()};
  std::string state_dir;
  Reported begun;
  // Beside the job: it must not wait for us, nor its signals.
  std::thread telling;
  const std::function<void()> once_running = [&] {
    try {
      telling = std::thread{[&] {
        state_dir = state_dir_of(common);
        begun = report(state_dir, options.name, beat);
      }};
    } catch (const std::system_error&) {  // No thread to be had: then its end must do.
    }
  };
  const auto outcome = runtime::run_in_foreground(options.command, once_running);
  if (telling.joinable()) telling.join();
  if (!begun.warning.empty()) std::cerr << begun.warning << "\n";
  if (!outcome)
    std::cerr << "tocsin beat " << options.name << ": " << outcome.error().detail << "\n";
  if (state_dir.empty()) state_dir = state_dir_of(common);
  beat.kind = Beat::Kind::exit;
  beat.at = clock.now();
  beat.note = options.note;
  conclude(beat, outcome);
  const auto ended = report(state_dir, options.name, beat);
  if (!ended.warning.empty() && ended.warning != begun.warning) std::cerr << ended.warning << "\n";
  return beat.exit_code;
}

}  // namespace

int command_beat(const CommonOptions& common, const BeatOptions& options) {
  return options.command.empty() ? beat_once(common, options) : run_and_report(common, options);
}

}  // namespace tocsin::app
