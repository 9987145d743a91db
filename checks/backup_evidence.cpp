#include "checks/backup_evidence.hpp"

#include <algorithm>

#include "checks/top_processes.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t backups_shown = 5;
constexpr std::size_t others_shown = 4;

std::string size_of(double bytes) { return describe_quantity(bytes, Unit::bytes); }
std::string size_of(const FoundFile& file) { return size_of(static_cast<double>(file.bytes)); }

std::string line_of(const FoundFile& file, WallTime now) {
  const auto written = written_at(file, now);
  return clean_utf8(file.path) + ": " + size_of(file) + ", written " + to_rfc3339(written) +
         (written <= now ? ", " + describe(now - written) + " ago" : ", in the future");
}

std::string joined(const std::vector<std::string>& patterns) {
  std::string out;
  for (const auto& pattern : patterns) out += (out.empty() ? "" : " or ") + pattern;
  return out;
}

std::string why_none(const BackupScene& scene, const std::vector<std::string>& patterns) {
  if (!scene.missing_folder.empty())
    return "there is no backup: the folder " + clean_utf8(scene.missing_folder) +
           " does not exist, or its file system is not mounted";
  if (scene.matched == 0) return "there is no backup: no file matches " + joined(patterns);
  const auto& newest = scene.files.others.front();
  return "there is no complete backup: " + clean_utf8(newest.file.path) + ", the newest of " +
         std::to_string(scene.matched) + " that match, does not count because " + newest.why;
}

/// The last attempt, when it came after the newest backup and left something unfinished.
std::string attempt_since(const BackupScene& scene, WallTime now) {
  for (const auto& other : scene.files.others)
    if (scene.newest && written_at(other.file, now) > written_at(*scene.newest, now))
      return "; a later attempt left " + clean_utf8(other.file.path) + " (" + size_of(other.file) +
             "), which does not count because " + other.why;
  return "; nothing has been written since";
}

std::string cause_of(const BackupScene& scene, const std::vector<std::string>& patterns,
                     Duration schedule, const BackupVerification& verification, WallTime now) {
  if (!scene.newest) return why_none(scene, patterns);
  const auto& newest = *scene.newest;
  if (scene.age > schedule)
    return "the newest backup is " + describe(scene.age) + " old and one is due every " +
           describe(schedule) + attempt_since(scene, now);
  const auto size = static_cast<double>(newest.bytes);
  if (const auto& verdict = verification.verdict(); verdict && !verdict->good)
    return "the newest backup could not be verified: " + verdict->words;
  if (scene.median && size < *scene.median / 2)
    return clean_utf8(newest.path) + " has " + size_of(newest) + " where those before had " +
           size_of(*scene.median) + ": it may be cut off, or something is missing from it";
  return "";
}

}  // namespace

Evidence backup_evidence(const BackupScene& scene, const std::vector<std::string>& patterns,
                         Duration schedule, const BackupVerification& verification, WallTime now) {
  Evidence evidence;
  const auto& backups = scene.files.backups;
  if (scene.being_rewritten)
    add_line(evidence, "Being rewritten now; before that " + line_of(*scene.newest, now));
  else if (backups.empty())
    add_line(evidence, "No backup matches " + joined(patterns));
  for (std::size_t i = 0; i < std::min(backups_shown, backups.size()); ++i)
    add_line(evidence, (i == 0 ? "Newest backup " : "Before it ") + line_of(backups[i], now));
  if (scene.median)
    add_line(evidence, "Median size of those before the newest: " + size_of(*scene.median));
  if (const auto& verdict = verification.verdict(); verification.wanted() && verdict)
    add_line(evidence, "Verified: " + verdict->words);
  if (verification.under_way()) add_line(evidence, "The newest backup is being verified");
  const auto& others = scene.files.others;
  for (std::size_t i = 0; i < std::min(others_shown, others.size()); ++i)
    add_line(evidence, "Left out because " + others[i].why + ": " + line_of(others[i].file, now));
  if (others.size() > others_shown)
    add_line(evidence, "Left out: " + std::to_string(others.size() - others_shown) + " more");
  evidence.probable_cause = cause_of(scene, patterns, schedule, verification, now);
  return evidence;
}

}  // namespace tocsin::checks
