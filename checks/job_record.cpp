#include "checks/job_record.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "checks/redaction.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t note_lines_shown = 4;

std::string whole_seconds(Duration duration) {
  using namespace std::chrono_literals;
  return describe(duration < 10s ? std::chrono::round<std::chrono::milliseconds>(duration)
                                 : std::chrono::floor<std::chrono::seconds>(duration));
}

/// "exit code 3", "ok", "start".
std::string outcome_in_words(Beat::Kind kind, int exit_code) {
  switch (kind) {
    case Beat::Kind::start:
      return "start";
    case Beat::Kind::ok:
      return "ok";
    case Beat::Kind::fail:
      return "failed";
    case Beat::Kind::exit:
      return "exit code " + std::to_string(exit_code);
    case Beat::Kind::log:
      return "log";
  }
  return "";
}

/// The end of a text, from a line's begin, as far as the bound allows.
std::string last_bytes(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    text.remove_prefix(text.size() - most);
    if (const auto line = text.find('\n'); line != std::string_view::npos && line + 1 < text.size())
      text.remove_prefix(line + 1);
  }
  return clean_utf8(text);
}

}  // namespace

JobRecord::JobRecord(Timetable timetable, Duration max_run)
    : due_{std::move(timetable)}, max_run_{max_run} {}

void JobRecord::load(std::string_view kept, Now now) {
  if (!kept.empty() && restore(kept, now)) return;
  began_ = true;
  watched_since_ = now.wall;
  well_since_ = now.steady;
  due_.begin(now);
}

void JobRecord::note(const Beat& beat) {
  // It was kept while we were not there, and what came after it is known: it is history.
  if (beat.at.steady < newest_) return;
  newest_ = beat.at.steady;
  Seen seen{.kind = beat.kind,
            .exit_code = beat.exit_code,
            .run = cut_characters(clean_utf8(beat.run), limits::beat_run_id_characters),
            .at = beat.at.wall,
            .took = beat.took};
  switch (beat.kind) {
    case Beat::Kind::start:
      start(beat);
      break;
    case Beat::Kind::ok:
      end(beat, true);
      break;
    case Beat::Kind::fail:
      end(beat, false);
      break;
    case Beat::Kind::exit:
      end(beat, beat.exit_code == 0);
      break;
    case Beat::Kind::log:
      break;
  }
  const bool ended = beat.kind != Beat::Kind::start && beat.kind != Beat::Kind::log;
  if (ended && last_end_) seen.took = last_end_->took;
  // What a job says at its end stands for the whole run; what a new run says replaces it.
  if (!beat.note.empty() || ended)
    note_ = redacted(mask_credentials(last_bytes(beat.note, limits::beat_note_bytes)));
  seen_.push_back(std::move(seen));
  if (seen_.size() > job_beats_kept) seen_.erase(seen_.begin());
}

void JobRecord::put_run(std::string id, WallTime started, SteadyTime since) {
  id = cut_characters(clean_utf8(id), limits::beat_run_id_characters);
  std::erase_if(runs_, [&](const Run& run) { return run.id == id; });
  if (runs_.size() >= job_runs_kept) runs_.erase(runs_.begin());
  const auto allowed = max_run_ > Duration{0} ? max_run_ : due_.time_for_run(started);
  runs_.push_back({std::move(id), started, since, allowed});
}

void JobRecord::start(const Beat& beat) {
  due_.answer(beat.at);
  put_run(beat.run, beat.at.wall, beat.at.steady);
}

void JobRecord::end(const Beat& beat, bool well) {
  due_.answer(beat.at);
  End ended{.well = well, .at = beat.at.wall, .took = beat.took};
  if (well)
    ended.exit_code = 0;
  else if (beat.kind == Beat::Kind::exit)
    ended.exit_code = beat.exit_code;
  const auto id = cut_characters(clean_utf8(beat.run), limits::beat_run_id_characters);
  const auto run = std::ranges::find(runs_, id, &Run::id);
  const auto begun = run == runs_.end() ? beat.at.steady : run->since;
  if (run != runs_.end()) {
    if (!ended.took) ended.took = std::max(beat.at.steady - run->since, Duration{0});
    runs_.erase(run);
  }
  last_end_ = ended;
  if (!well) return;
  last_ok_ = beat.at.wall;
  well_since_ = beat.at.steady;
  // The work is done: what had begun before and had its time will not come to an end any more.
  std::erase_if(runs_, [&](const Run& other) {
    return other.since < begun && beat.at.steady - other.since > other.allowed;
  });
}

JobStanding JobRecord::look(Now now) {
  const auto before = due_.kept();
  due_.look(now);
  changed_ = std::exchange(began_, false) || !(due_.kept() == before);
  JobStanding out{.age = std::max(now.steady - well_since_, Duration{0}),
                  .missed = due_.missed(),
                  .running = runs_.size()};
  std::optional<Duration> longest;
  for (const auto& run : runs_) {
    const auto taken = std::max(now.steady - run.since, Duration{0});
    longest = std::max(longest.value_or(Duration{0}), taken);
    if (taken > run.allowed) ++out.unfinished;
  }
  out.run_time = longest;
  if (last_end_) {
    if (!out.run_time) out.run_time = last_end_->took;
    out.exit_code = last_end_->exit_code;
  }
  out.up = out.missed == 0 && out.unfinished == 0 && (!last_end_ || last_end_->well);
  return out;
}

std::string JobRecord::local(WallTime at) const {
  const auto& zone = due_.timetable().zone;
  return to_local(at, zone.empty() ? "UTC" : zone);
}

std::string JobRecord::in_words(const Seen& seen) const {
  auto words = local(seen.at) + " " + outcome_in_words(seen.kind, seen.exit_code);
  if (seen.took) words += " after " + whole_seconds(*seen.took);
  if (!seen.run.empty()) words += " (run " + seen.run + ")";
  return words;
}

std::string JobRecord::what_is_wrong(Now now) const {
  for (const auto& run : runs_) {
    const auto taken = now.steady - run.since;
    if (taken <= run.allowed) continue;
    return "the run that started " + local(run.started) + " has not finished: it has run for " +
           whole_seconds(taken) + " and may take " + whole_seconds(run.allowed);
  }
  if (due_.missed() > 0) {
    const auto since =
        last_ok_ ? "it last ended well " + local(*last_ok_)
                 : "it has never ended well since it is watched (" + local(watched_since_) + ")";
    return "it was due " + local(due_.kept().first_missed) + " and did not report; " + since;
  }
  if (last_end_ && !last_end_->well) {
    auto words = "its last run failed " + local(last_end_->at);
    if (last_end_->exit_code) words += " with exit code " + std::to_string(*last_end_->exit_code);
    if (last_end_->took) words += " after " + whole_seconds(*last_end_->took);
    return words;
  }
  return {};
}

void JobRecord::describe(Now now, Evidence& into) const {
  if (auto wrong = what_is_wrong(now); !wrong.empty()) {
    into.probable_cause = wrong;
    into.lines.push_back(std::move(wrong));
  }
  std::size_t shown = 0;
  for (const auto& run : runs_) {
    if (++shown > 2) break;
    into.lines.push_back("running for " + whole_seconds(now.steady - run.since) + ", since " +
                         local(run.started) + (run.id.empty() ? "" : " (run " + run.id + ")"));
  }
  for (auto seen = seen_.rbegin(); seen != seen_.rend(); ++seen)
    into.lines.push_back("beat: " + in_words(*seen));
  std::vector<std::string_view> said;
  for (const auto line : split(note_, '\n'))
    if (!trim(line).empty()) said.push_back(trim(line));
  const auto skip = said.size() - std::min(said.size(), note_lines_shown);
  for (std::size_t i = skip; i < said.size(); ++i)
    into.lines.push_back("said: " + cut_characters(said[i], limits::evidence_line_characters - 6));
  if (seen_.empty()) into.lines.push_back("no beat has ever come since " + local(watched_since_));
  if (into.lines.size() > limits::evidence_lines)
    into.lines.erase(into.lines.begin() + 1,
                     into.lines.end() - static_cast<std::ptrdiff_t>(limits::evidence_lines - 1));
}

}  // namespace tocsin::checks
