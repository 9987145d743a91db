#include "checks/heartbeat.hpp"

#include <optional>
#include <tuple>
#include <utility>

#include "checks/calendar_expression.hpp"
#include "checks/cron_expression.hpp"
#include "checks/job_record.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

struct HeartbeatParams {
  std::optional<Duration> period{};
  std::optional<std::string> cron{};
  std::optional<std::string> on_calendar{};
  std::string timezone{"UTC"};
  Duration grace{5min};
  std::optional<Duration> max_run{};
  static constexpr auto fields() {
    using Self = HeartbeatParams;
    return std::tuple{
        field("period", &Self::period,
              "How often it reports, at least. One of period, cron and "
              "on_calendar is needed."),
        field("cron", &Self::cron,
              "When it starts, as a crontab says it: five fields, or @hourly and the like."),
        field("on_calendar", &Self::on_calendar,
              "When it starts, as a systemd timer says it: OnCalendar=."),
        field("timezone", &Self::timezone,
              "Whose clocks cron and on_calendar are read on; a calendar expression may name its "
              "own. What is due in an hour that is skipped in spring is due right after it, and "
              "once in the hour that comes twice in autumn."),
        field("grace", &Self::grace,
              "How late it may report: at its start if it reports that, else at its end."),
        field("max_run", &Self::max_run,
              "How long a run may take that reported its start. Default: until it is due again, "
              "and the grace.")};
  }
};

/// The timetable, or what is wrong with it and the key that it is wrong at.
struct Reading {
  Timetable timetable{};
  std::string_view key{};
  std::string complaint{};
};

Reading read_timetable(const HeartbeatParams& params) {
  Reading out;
  out.timetable.grace = params.grace;
  out.timetable.zone = params.timezone;
  if (params.period) {
    out.key = "period";
    out.timetable.period = *params.period;
    out.timetable.text = "period " + to_config(*params.period);
    if (*params.period < 1s) out.complaint = "must be at least 1s";
    return out;
  }
  if (params.cron) {
    out.key = "cron";
    out.timetable.text = "cron " + *params.cron;
    auto parsed = parse_cron(*params.cron);
    if (parsed)
      out.timetable.recurrence = *parsed;
    else
      out.complaint = parsed.error().detail;
  } else if (params.on_calendar) {
    out.key = "on_calendar";
    out.timetable.text = "on_calendar " + *params.on_calendar;
    auto parsed = parse_calendar(*params.on_calendar);
    if (parsed) {
      out.timetable.recurrence = parsed->recurrence;
      if (!parsed->zone.empty()) out.timetable.zone = parsed->zone;
    } else {
      out.complaint = parsed.error().detail;
    }
  }
  out.timetable.text += " in " + out.timetable.zone;
  // From the beginning of 2024, a leap year: what never comes then never comes.
  const WallTime leap_year{1'704'067'200s};
  if (out.complaint.empty() && !next_due(out.timetable.recurrence, leap_year, out.timetable.zone))
    out.complaint = "names a time that never comes";
  return out;
}

enum : std::uint16_t { up, age_seconds, run_seconds, missed, running, unfinished, exit_code };

const std::vector<SampleSpec>& heartbeat_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 while it reports on time and its last run ended well, else 0."},
      {"age_seconds", Unit::seconds,
       "Time since a run last ended well, or since it is watched when none ever did."},
      {"run_seconds", Unit::seconds,
       "How long the run in progress has taken so far, else how long the last one took."},
      {"missed", Unit::none, "How often it was due, with its grace over, since it last reported."},
      {"running", Unit::none, "How many runs have started and not ended."},
      {"unfinished", Unit::none, "How many of these have taken longer than they may."},
      {"exit_code", Unit::none,
       "Exit code of the last run that ended, where it was reported; 0 when it ended well."},
  };
  return specs;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class HeartbeatCheck final : public Check {
 public:
  HeartbeatCheck(std::string /*name*/, HeartbeatParams params)
      : record_{read_timetable(params).timetable, params.max_run.value_or(Duration{0})} {}

  std::span<const SampleSpec> specs() const override { return heartbeat_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto now = context.clock.now();
    load(context.memory, now);
    const auto standing = record_.look(now);
    if (record_.changed()) keep(context.memory);
    Samples samples;
    samples.reserve(heartbeat_specs().size());
    put(samples, up, standing.up ? 1 : 0);
    put(samples, age_seconds, seconds_of(standing.age));
    if (standing.run_time) put(samples, run_seconds, seconds_of(*standing.run_time));
    put(samples, missed, static_cast<double>(standing.missed));
    put(samples, running, static_cast<double>(standing.running));
    put(samples, unfinished, static_cast<double>(standing.unfinished));
    if (standing.exit_code) put(samples, exit_code, *standing.exit_code);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    record_.describe(context.clock.now(), evidence);
    co_return evidence;
  }

  bool receive(const Beat& beat, Memory& memory, Now now) override {
    load(memory, now);
    record_.note(beat);
    keep(memory);
    return true;
  }

 private:
  void load(const Memory& memory, Now now) {
    if (std::exchange(loaded_, true)) return;
    record_.load(memory.recall(), now);
  }
  void keep(Memory& memory) {
    // The record is bounded well below what a memory takes.
    [[maybe_unused]] const auto kept = memory.keep(record_.save());
  }

  JobRecord record_;
  bool loaded_{false};
};

void judge_params(const HeartbeatParams& params, const Node& map, Decoding& decoding) {
  const int ways = int{params.period.has_value()} + int{params.cron.has_value()} +
                   int{params.on_calendar.has_value()};
  if (ways != 1)
    return decoding.complain(
        map, ways == 0 ? "when is it due? Give one of period (such as 1h), cron (15 3 * * *) and "
                         "on_calendar (daily)"
                       : "give one of period, cron and on_calendar, not several");
  const auto at = [&](std::string_view key) -> const Node& {
    const auto* node = map.find(key);
    return node == nullptr ? map : *node;
  };
  if (!zone_exists(params.timezone))
    return decoding.at("timezone")
        .complain(at("timezone"), "this host knows no time zone \"" + params.timezone +
                                      "\": write one such as Europe/London");
  if (params.period && map.find("timezone") != nullptr)
    decoding.at("timezone").complain(at("timezone"), "a period has no time zone");
  if (params.max_run && *params.max_run <= Duration{0})
    decoding.at("max_run").complain(at("max_run"), "must be more than 0s");
  const auto reading = read_timetable(params);
  if (!reading.complaint.empty())
    decoding.at(reading.key).complain(at(reading.key), reading.complaint);
  else if (map.find("timezone") != nullptr && !params.period &&
           reading.timetable.zone != params.timezone)
    decoding.at("timezone")
        .complain(at("timezone"), "on_calendar names a time zone of its own: leave one out");
}

}  // namespace

CheckType heartbeat_check() {
  return check_type<HeartbeatParams, HeartbeatCheck>(
      {
          .name = "heartbeat",
          .summary = "Whether a job (a cron, a backup, an importer) reports when it should, by "
                     "`tocsin beat NAME -- COMMAND` or POST /beat/NAME.",
          .samples = heartbeat_specs(),
          .default_critical = {"missed >= 1", "unfinished >= 1", "exit_code != 0", "up < 1"},
          .example = "name: nightly-import\n"
                     "type: heartbeat\n"
                     "cron: \"15 3 * * *\"\n"
                     "timezone: Europe/London\n"
                     "grace: 10m\n"
                     "max_run: 2h\n",
      },
      judge_params);
}

}  // namespace tocsin
