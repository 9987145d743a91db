#include "checks/backup.hpp"

#include <algorithm>

#include "checks/backup_evidence.hpp"
#include "checks/backup_files.hpp"
#include "checks/backup_verification.hpp"
#include "checks/one_or_more.hpp"
#include "checks/reply_by.hpp"
#include "checks/words.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

struct BackupParams {
  OneOrMore files{};
  Duration schedule{26h};
  std::vector<std::string> ignore{};
  Duration settle{1min};
  std::vector<std::string> verify{};
  Duration verify_timeout{10min};
  static constexpr auto fields() {
    return std::tuple{
        required_field("files", &BackupParams::files,
                       "The files of one series of backups: an absolute path with wildcards, such "
                       "as /backup/db/*.dump, or a list of them."),
        field("schedule", &BackupParams::schedule,
              "How old the newest backup may become: how often one is due, and a little."),
        field("ignore", &BackupParams::ignore,
              "Names of matching files that are no backups, with wildcards. Names that end in "
              ".part, .partial, .filepart, .incomplete, .tmp, .temp, .crdownload or ~ never are, "
              "nor are empty files."),
        field("settle", &BackupParams::settle,
              "A file counts once it has not been written to for so long."),
        field("verify", &BackupParams::verify,
              "A command that exits with 0 when a backup is good, as a list; no shell reads it. "
              "\"{file}\" stands for the path, which follows as the last argument otherwise. It is "
              "run once for each new backup, beside the check's own runs."),
        field("verify_timeout", &BackupParams::verify_timeout,
              "When the command is ended; the backup is then not verified."),
    };
  }
};

enum : std::uint16_t { age, overdue, bytes, size_vs_median, verified, backups };

const std::vector<SampleSpec>& backup_specs() {
  static const std::vector<SampleSpec> specs{
      {"age_seconds", Unit::seconds,
       "Time since the newest backup was written; since 1970 when there is none."},
      {"overdue_seconds", Unit::seconds,
       "How much longer ago than 'schedule' that was; 0 while it is in time."},
      {"bytes", Unit::bytes, "Size of the newest backup."},
      {"size_vs_median_ratio", Unit::ratio,
       "That size by the median of the ten backups before it; from the second backup on."},
      {"verified", Unit::none,
       "1 when the 'verify' command found the newest backup good, else 0; while it works on a new "
       "one, what it said of the one before."},
      {"backups", Unit::none, "How many complete backups there are."},
  };
  return specs;
}

class BackupCheck final : public Check {
 public:
  BackupCheck(std::string /*name*/, BackupParams params)
      : patterns_{std::move(params.files.values)},
        schedule_{params.schedule},
        rules_{std::move(params.ignore), params.settle},
        verification_{std::move(params.verify), params.verify_timeout} {}

  std::span<const SampleSpec> specs() const override { return backup_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (!recalled_) recall(context.memory);
    BackupScene scene;
    std::vector<FoundFile> found;
    for (const auto& pattern : patterns_) {
      auto looking = context.helper.find_files(pattern, reply_by(context));
      auto files = co_await std::move(looking);
      if (!files) co_return std::move(files).error();
      for (auto& file : files->newest) add(found, std::move(file));
      scene.matched += files->matched;
      if (scene.missing_folder.empty()) scene.missing_folder = std::move(files->missing);
    }
    const auto wall = context.clock.wall();
    const auto unseen = scene.matched - std::min<std::uint64_t>(scene.matched, found.size());
    scene.files = tell_apart(std::move(found), rules_, history_, wall);
    history_.add(scene.files.backups);
    choose_newest(scene);
    const auto count = scene.files.backups.size() + unseen;
    if (scene.newest) {
      scene.age = age_of(*scene.newest, context.clock);
      scene.median = history_.median_before(*scene.newest);
      auto verifying = verification_.look_at(context, *scene.newest);
      co_await std::move(verifying);
    } else {
      scene.age = wall.time_since_epoch();
    }
    scene_ = std::move(scene);
    remember(context.memory);
    co_return samples_of(scene_, std::max<std::size_t>(count, scene_.newest ? 1 : 0));
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    co_return backup_evidence(scene_, patterns_, schedule_, verification_, context.clock.wall());
  }

 private:
  static void add(std::vector<FoundFile>& found, FoundFile file) {
    const auto same = std::find_if(found.begin(), found.end(),
                                   [&](const FoundFile& other) { return other.path == file.path; });
    if (same == found.end()) found.push_back(std::move(file));
  }

  /// The newest backup; while the only one is rewritten in its place, what it was before that.
  void choose_newest(BackupScene& scene) const {
    if (!scene.files.backups.empty()) {
      scene.newest = scene.files.backups.front();
      return;
    }
    for (const auto& other : scene.files.others) {
      const auto* const before = other.being_written ? history_.last_of(other.file.path) : nullptr;
      if (before == nullptr) continue;
      scene.newest = *before;
      scene.being_rewritten = true;
      return;
    }
  }

  /// By the wall clock when the file is first seen, and from then on by the time that passes, so
  /// that a clock that jumps makes no backup older or younger.
  Duration age_of(const FoundFile& file, const Clock& clock) {
    const auto passed = clock.steady().time_since_epoch() + clock.suspended();
    const auto wall = clock.wall();
    const Duration age = std::max<Duration>(wall - written_at(file, wall), Duration::zero());
    const bool known = aged_ && aged_->path == file.path && aged_->modified == file.modified;
    if (known) return aged_->age + (passed - aged_->at);
    // From the future: the clock may be wrong, so that it is asked again.
    if (age > Duration::zero()) aged_ = Aged{file.path, file.modified, age, passed};
    return age;
  }

  Samples samples_of(const BackupScene& scene, std::size_t count) const {
    const auto seconds = [](Duration duration) {
      return std::chrono::duration<double>(duration).count();
    };
    Samples samples;
    samples.reserve(backup_specs().size());
    put(samples, backups, static_cast<double>(count));
    put(samples, age, seconds(scene.age));
    put(samples, overdue, seconds(std::max<Duration>(scene.age - schedule_, Duration::zero())));
    if (!scene.newest) return samples;
    put(samples, bytes, static_cast<double>(scene.newest->bytes));
    if (scene.median && *scene.median > 0)
      put(samples, size_vs_median, static_cast<double>(scene.newest->bytes) / *scene.median);
    if (const auto& verdict = verification_.verdict(); verification_.wanted() && verdict)
      put(samples, verified, verdict->good ? 1 : 0);
    return samples;
  }

  /// The files tell most, but not what a file was before it was rewritten or verified.
  void recall(const Memory& memory) {
    recalled_ = true;
    const auto& text = memory.recall();
    verification_.read(text);
    history_.read(text);  // Which passes over what is none of its lines.
  }
  void remember(Memory& memory) const {
    // Too much for it, with very long paths: then it is told anew after a restart.
    (void)memory.keep(verification_.to_text() + "\n" + history_.to_text());
  }

  struct Aged {
    std::string path;
    WallTime modified;
    Duration age;  ///< When it was first seen.
    Duration at;   ///< Then, by steady time and suspends.
  };

  std::vector<std::string> patterns_;
  Duration schedule_;
  BackupRules rules_;
  BackupHistory history_;
  BackupVerification verification_;
  std::optional<Aged> aged_;
  BackupScene scene_;
  bool recalled_{false};
};

void judge(const BackupParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, const std::string& sentence) {
    const auto* node = map.find(key);
    auto inner = decoding.at(key);
    inner.complain(node != nullptr ? *node : map, sentence);
  };
  if (params.files.values.empty()) complain("files", "expected at least one path");
  for (const auto& pattern : params.files.values)
    if (pattern.empty() || pattern.front() != '/' || pattern.back() == '/')
      complain("files", "expected an absolute path of files, such as /backup/db/*.dump, found '" +
                            pattern + "'");
  for (const auto& name : params.ignore)
    if (name.empty() || name.find('/') != std::string::npos)
      complain("ignore",
               "expected a file's name without folders, such as *.sha256, found '" + name + "'");
  if (params.schedule <= Duration::zero()) complain("schedule", "expected longer than nothing");
  if (map.find("verify") != nullptr && (params.verify.empty() || params.verify.front().empty()))
    complain("verify", "expected the program first, as in [pg_restore, --list, \"{file}\"]");
  if (params.verify_timeout < 1s || params.verify_timeout > 24h)
    complain("verify_timeout", "expected a duration from 1s to 24h");
}

}  // namespace

CheckType backup_check() {
  return check_type<BackupParams, BackupCheck>(
      {
          .name = "backup",
          .summary = "Whether backups are written in time, whole and verified: the newest file's "
                     "age, its size beside those before it, and what a command of yours says of "
                     "it.",
          .samples = backup_specs(),
          .default_critical = {"backups < 1", "overdue_seconds > 0", "size_vs_median_ratio < 50%",
                               "verified < 1"},
          .example = "name: db-backup\n"
                     "type: backup\n"
                     "every: 5m\n"
                     "files: /backup/db/*.dump\n"
                     "schedule: 26h\n"
                     "verify: [pg_restore, --list, \"{file}\"]\n"
                     "critical: [backups < 1, overdue_seconds > 0, size_vs_median_ratio < 50%, "
                     "verified < 1]\n",
      },
      judge);
}

}  // namespace tocsin
