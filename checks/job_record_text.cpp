// What a job's record is kept as: JSON, wall times in microseconds, durations in nanoseconds.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "checks/job_record.hpp"
#include "checks/json_members.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

}  // namespace

std::string JobRecord::save() const {
  const auto& due = due_.kept();
  json::object out{{"timetable", due_.timetable().text},
                   {"watched_since", number_of(watched_since_)},
                   {"counted", number_of(due.counted)},
                   {"missed", due.missed},
                   {"carried", due.carried},
                   {"first_missed", number_of(due.first_missed)},
                   {"note", note_}};
  if (last_ok_) out["ok"] = number_of(*last_ok_);
  if (last_end_) {
    json::object end{{"well", last_end_->well}, {"at", number_of(last_end_->at)}};
    if (last_end_->exit_code) end["exit_code"] = *last_end_->exit_code;
    if (last_end_->took) end["took"] = last_end_->took->count();
    out["end"] = std::move(end);
  }
  json::array runs;
  for (const auto& run : runs_)
    runs.push_back(json::object{{"id", run.id}, {"started", number_of(run.started)}});
  out["runs"] = std::move(runs);
  json::array beats;
  for (const auto& seen : seen_) {
    json::object beat{{"kind", static_cast<int>(seen.kind)},
                      {"exit_code", seen.exit_code},
                      {"run", seen.run},
                      {"at", number_of(seen.at)}};
    if (seen.took) beat["took"] = seen.took->count();
    beats.push_back(std::move(beat));
  }
  out["beats"] = std::move(beats);
  return json::serialize(out);
}

bool JobRecord::restore(std::string_view kept, Now now) {
  boost::system::error_code fault;
  const auto value = json::parse({kept.data(), kept.size()}, fault);
  const auto* object = fault ? nullptr : value.if_object();
  if (object == nullptr || text_in(*object, "timetable") != due_.timetable().text) return false;
  const auto watched = time_in(*object, "watched_since");
  const auto counted = time_in(*object, "counted");
  if (!watched || !counted) return false;
  watched_since_ = *watched;
  due_.resume({.counted = *counted,
               .missed = whole_count_in(*object, "missed"),
               .carried = whole_count_in(*object, "carried"),
               .first_missed = time_in(*object, "first_missed").value_or(WallTime{})},
              now);
  last_ok_ = time_in(*object, "ok");
  well_since_ = steady_of(last_ok_.value_or(watched_since_), now);
  note_ = std::string{text_in(*object, "note")};
  if (const auto* end = object_in(*object, "end")) {
    const auto* well = end->if_contains("well");
    const auto exit_code = whole_in(*end, "exit_code");
    last_end_ =
        End{.well = well != nullptr && well->is_bool() && well->get_bool(),
            .exit_code = exit_code ? std::optional{static_cast<int>(*exit_code)} : std::nullopt,
            .at = time_in(*end, "at").value_or(now.wall),
            .took = duration_in(*end, "took")};
  }
  for (const auto& item : items_in(*object, "runs")) {
    const auto* run = item.if_object();
    const auto started = run == nullptr ? std::nullopt : time_in(*run, "started");
    if (started) put_run(std::string{text_in(*run, "id")}, *started, steady_of(*started, now));
  }
  for (const auto& item : items_in(*object, "beats")) {
    const auto* beat = item.if_object();
    const auto at = beat == nullptr ? std::nullopt : time_in(*beat, "at");
    const auto kind = at ? whole_in(*beat, "kind").value_or(-1) : -1;
    if (kind < 0 || kind > static_cast<int>(Beat::Kind::log) || seen_.size() >= job_beats_kept)
      continue;
    newest_ = std::max(newest_, steady_of(*at, now));
    seen_.push_back({.kind = static_cast<Beat::Kind>(kind),
                     .exit_code = static_cast<int>(whole_in(*beat, "exit_code").value_or(0)),
                     .run = std::string{text_in(*beat, "run")},
                     .at = *at,
                     .took = duration_in(*beat, "took")});
  }
  return true;
}

}  // namespace tocsin::checks
