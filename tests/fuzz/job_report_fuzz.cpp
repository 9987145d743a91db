// What people write of when a job is due, what jobs say of themselves and what was kept of it: any
// bytes must give due times that the expression names, and a standing that holds together.
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checks/calendar_expression.hpp"
#include "checks/cron_expression.hpp"
#include "checks/job_record.hpp"
#include "checks/words.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;
using namespace std::chrono_literals;
namespace c = std::chrono;

const WallTime begin = *parse_rfc3339("2026-02-27T23:10:30Z");

/// Whether the clocks of UTC show one of its times.
bool names(const Recurrence& r, WallTime at) {
  const auto day = c::floor<c::days>(at);
  const c::year_month_day date{day};
  const auto second = c::floor<c::seconds>(at - day).count();
  const auto bit = [](const auto& bits, auto index) {
    return bits[static_cast<std::size_t>(index)];
  };
  const bool by_month = r.days[unsigned{date.day()}];
  const bool by_week = r.weekdays[c::weekday{day}.c_encoding()];
  return bit(r.years, int{date.year()} - recurrence_first_year) &&
         r.months[unsigned{date.month()}] &&
         (r.either_day ? by_month || by_week : by_month && by_week) &&
         bit(r.hours, second / 3600) && bit(r.minutes, second / 60 % 60) &&
         bit(r.seconds, second % 60);
}

void due_times(const Recurrence& recurrence) {
  auto after = begin;
  for (int i = 0; i < 3; ++i) {
    const auto due = next_due(recurrence, after, "UTC");
    const auto searched = due ? std::min(*due, after + 2h) : after + 2h;
    for (auto at = c::ceil<c::seconds>(after + 1us); at < searched; at += 1s)
      check_that(!names(recurrence, at), "no due time is passed over");
    if (!due) return;
    check_that(*due > after, "a due time comes after");
    check_that(names(recurrence, *due), "a due time is one that is named");
    after = *due;
  }
  const auto local = next_due(recurrence, begin, "Europe/London");
  check_that(!local || *local > begin, "so it is in any zone");
}

/// A timetable by the expression, or by a period when it is none.
Timetable timetable_of(std::string_view expression) {
  Timetable out{.zone = "UTC", .grace = 5min, .text = "any"};
  if (const auto cron = parse_cron(expression)) {
    out.recurrence = *cron;
    due_times(*cron);
  } else if (const auto calendar = parse_calendar(expression)) {
    check_that(!cron.error().detail.empty(), "a complaint has words");
    out.recurrence = calendar->recurrence;
    due_times(calendar->recurrence);
  } else {
    check_that(!calendar.error().detail.empty(), "a complaint has words");
    out.period = 10min;
  }
  return out;
}

class Job {
 public:
  Job(const Timetable& timetable, std::string_view kept) : record_{timetable, 0s} {
    record_.load(kept, now_);
  }

  /// Two bytes are a beat and the time before it; what follows is its note.
  void live(std::string_view story) {
    for (int i = 0; i < 64 && story.size() >= 2; ++i) {
      const auto what = static_cast<unsigned char>(story[0]);
      const auto when = static_cast<unsigned char>(story[1]);
      story.remove_prefix(2);
      pass(when);
      Beat beat{.kind = static_cast<Beat::Kind>(what % 5), .exit_code = what / 32, .at = now_};
      if ((what & 8) != 0) beat.run = std::string{story.substr(0, 80)};
      if ((what & 16) != 0) beat.took = c::seconds{what};
      beat.note = std::string{story.substr(0, limits::beat_note_bytes)};
      record_.note(beat);
      look();
    }
  }
  std::string save() const { return record_.save(); }
  void describe() const {
    Evidence evidence;
    record_.describe(now_, evidence);
    check_that(evidence.lines.size() <= limits::evidence_lines, "few lines are told");
    for (const auto& line : evidence.lines) {
      check_that(clean_utf8(line) == line, "what is told is clean");
      check_that(cut_characters(line, limits::evidence_line_characters) == line, "and short");
    }
  }
  JobStanding look() {
    const auto standing = record_.look(now_);
    check_that(standing.running <= job_runs_kept, "runs are bounded");
    check_that(standing.unfinished <= standing.running, "what has not finished runs");
    check_that(standing.age >= 0s, "an age is none before now");
    check_that(!standing.up || (standing.missed == 0 && standing.unfinished == 0),
               "what is up is on time");
    return standing;
  }

 private:
  /// Time goes by, and now and then somebody sets the wall clock.
  void pass(unsigned char code) {
    const auto step = c::seconds{(code & 63) * (code & 63) * 7};
    now_.steady += step;
    now_.wall += step;
    if ((code & 192) == 192) now_.wall += code & 1 ? -2h : 26h;
  }

  JobRecord record_;
  Now now_{SteadyTime{1000h}, begin};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const auto timetable = timetable_of(take_line(rest));
  const auto changes = take_line(rest);
  Job job{timetable, {}};
  job.live(rest);
  job.describe();
  auto kept = job.save();
  check_that(kept.size() <= limits::check_memory_bytes, "what is kept has room");

  Job again{timetable, kept};
  check_that(again.look().running == job.look().running, "runs go on after a restart");
  again.describe();
  // What is kept was written by somebody else, perhaps.
  for (std::size_t i = 0; i + 2 < changes.size(); i += 3) {
    const auto place =
        static_cast<unsigned char>(changes[i]) * 256u + static_cast<unsigned char>(changes[i + 1]);
    kept[place % kept.size()] = changes[i + 2];
  }
  Job changed{timetable, kept};
  changed.look();
  changed.live(rest);
  Job foreign{timetable, rest};
  foreign.look();
  return 0;
}
