#include "checks/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "checks/log_follower.hpp"
#include "checks/log_journal.hpp"
#include "checks/log_matches.hpp"
#include "checks/log_patterns.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

/// Read at a stretch before others on the loop get their turn.
constexpr std::uint64_t stretch_bytes = 256u << 10;
/// How often the position is kept, unless the file was rotated: what was read since is read again
/// after a crash.
constexpr Duration keep_every = 30s;
/// Nobody rotates for so long. A file that is away for longer, and for the window, tells nothing.
constexpr Duration away_at_most = 1min;
/// In microseconds since 1970: what is later no clock has shown (the year 2200).
constexpr std::uint64_t latest_kept = 7'258'118'400'000'000;

struct LogParams {
  std::string file{};
  std::optional<JournalParams> journal{};
  Duration window{5min};
  LogPatterns patterns{};
  std::vector<std::string> sets{};
  static constexpr auto fields() {
    using Self = LogParams;
    return std::tuple{
        field("file", &Self::file, "The log's path; it is followed through rotation."),
        field("journal", &Self::journal, "systemd's journal instead of a file ({} for all of it)."),
        field("window", &Self::window, "The time that rates and counts are of."),
        field("patterns", &Self::patterns,
              "Regular expressions by a name: each gives the samples NAME_per_second and "
              "NAME_matches."),
        field("sets", &Self::sets,
              "Patterns that come with tocsin: failed_logins, sudo_abuse, mail_bounces, "
              "spam_complaints, signup_failures.")};
  }
};

enum : std::uint16_t { lines_per_second, skipped_bytes, file_missing_seconds, own_specs };

/// The configured patterns and those of the sets.
LogPatterns all_patterns(const LogParams& params) {
  auto all = params.patterns;
  for (const auto& name : params.sets)
    if (const auto* set = find_pattern_set(name))
      for (const auto& [pattern, text] : set->patterns)
        all.try_emplace(std::string{pattern}, Pattern{std::string{text}});
  return all;
}

std::vector<SampleSpec> log_specs(const LogPatterns& patterns) {
  std::vector<SampleSpec> specs{
      {"lines_per_second", Unit::per_second, "Lines read, over the window."},
      {"skipped_bytes", Unit::bytes, "Passed over in this run because more came than can be read."},
      {"file_missing_seconds", Unit::seconds,
       "How long there has been no file of that name, 0 while there is one. Once that is as long "
       "as the window, or a minute if that is more, and nothing came, the result is unknown."},
  };
  for (const auto& [name, pattern] : patterns) {
    specs.push_back({name + "_per_second", Unit::per_second,
                     "Lines that match \"" + name + "\", over the window."});
    specs.push_back(
        {name + "_matches", Unit::none, "Lines that match \"" + name + "\" within the window."});
  }
  return specs;
}

class LogCheck final : public Check {
 public:
  LogCheck(std::string /*name*/, LogParams params)
      : params_{std::move(params)},
        patterns_{all_patterns(params_)},
        specs_{log_specs(patterns_)},
        matches_{patterns_, params_.window},
        lines_{params_.window},
        passed_over_{params_.window},
        follower_{params_.file} {
    if (params_.journal) journal_.emplace(*params_.journal);
  }

  std::span<const SampleSpec> specs() const override { return specs_; }

  Task<Samples> run(CheckContext& context) override {
    const auto now = context.clock.steady();
    if (!started_) begin(context, now);
    skipped_ = 0;
    auto reading = journal_ ? read_journal(context) : read_file(context);
    const auto outcome = co_await std::move(reading);
    if (!outcome) co_return outcome.error();
    keep(context);
    if (const auto away = missing_for(now);
        away >= std::max(away_at_most, params_.window) && lines_.total(now) == 0)
      co_return Error{Errc::missing, missing_words(now) + " and nothing came: make it, or name " +
                                         "the file that is written to now"};
    const auto seconds = std::chrono::duration<double>(covered(now)).count();
    Samples samples;
    samples.reserve(specs_.size());
    put(samples, lines_per_second, static_cast<double>(lines_.total(now)) / seconds);
    put(samples, skipped_bytes, static_cast<double>(skipped_));
    if (!journal_)
      put(samples, file_missing_seconds, std::chrono::duration<double>(missing_for(now)).count());
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      const auto count = static_cast<double>(matches_.matches(i, now));
      const auto spec = static_cast<std::uint16_t>(own_specs + 2 * i);
      put(samples, spec, count / seconds);
      put(samples, static_cast<std::uint16_t>(spec + 1), count);
    }
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    const auto now = context.clock.steady();
    if (missing_since_) {
      evidence.lines.push_back(missing_words(now));
      evidence.probable_cause = evidence.lines.back();
    }
    if (lost_ && now - *lost_ <= params_.window)
      evidence.lines.push_back(params_.file +
                               " was rotated while nobody was reading, and the old file is gone");
    if (away_ > keep_every && now - *started_ < params_.window)
      evidence.lines.push_back("what came while nobody was reading is counted too: the last " +
                               describe(std::chrono::floor<std::chrono::seconds>(away_)) +
                               " before the agent's start");
    if (const auto bytes = passed_over_.total(now); bytes > 0)
      evidence.lines.push_back("more came than can be read: " +
                               describe_quantity(static_cast<double>(bytes), Unit::bytes) +
                               " were passed over and nothing in them is counted");
    matches_.tell(evidence, now);
    co_return evidence;
  }

 private:
  Duration missing_for(SteadyTime now) const {
    return missing_since_ ? now - *missing_since_ : Duration{0};
  }
  std::string missing_words(SteadyTime now) const {
    return "there has been no " + params_.file + " for " +
           describe(std::chrono::floor<std::chrono::seconds>(missing_for(now)));
  }

  /// The time that the counts are of. Until the window has passed once it is less, or more when
  /// reading went on from where it was left long before: a rate over the window alone would be
  /// wrong.
  Duration covered(SteadyTime now) const {
    const auto watched = now - *started_;
    if (watched >= params_.window) return params_.window;
    return std::max<Duration>(watched + away_, 1s);
  }

  void begin(CheckContext& context, SteadyTime now) {
    started_ = now;
    const auto& kept = context.memory.recall();
    boost::system::error_code fault;
    const auto value = boost::json::parse(kept, fault);
    const auto* object = fault ? nullptr : value.if_object();
    if (object == nullptr) return;
    const auto number = [&](const char* key) -> std::optional<std::uint64_t> {
      const auto* found = object->if_contains(key);
      boost::system::error_code unfit;
      const auto whole = found == nullptr ? 0 : found->to_number<std::uint64_t>(unfit);
      return found == nullptr || unfit ? std::nullopt : std::optional{whole};
    };
    std::optional<WallTime> left;
    if (const auto at = number("at"); at && *at <= latest_kept)
      left = WallTime{std::chrono::microseconds{static_cast<std::int64_t>(*at)}};
    const auto wall = context.clock.wall();
    const auto away = std::max<Duration>(wall - left.value_or(wall), Duration{0});
    if (journal_) {
      const auto* cursor = object->if_contains("cursor");
      if (cursor == nullptr || !cursor->is_string()) return;
      if (!cursor->get_string().empty())
        journal_->resume(std::string{cursor->get_string()});
      else if (left && *left <= wall)
        journal_->resume(*left);
      away_ = away;
      return;
    }
    const auto* file = object->if_contains("file");
    const auto device = number("device"), inode = number("inode"), offset = number("offset");
    if (file == nullptr || !file->is_string() || file->get_string() != params_.file || !device ||
        !inode || !offset)
      return;
    follower_.resume({*device, *inode, *offset});
    away_ = away;
  }

  void take(std::string_view line, SteadyTime now) {
    lines_.add(now);
    matches_.take(line, now);
  }

  Task<void> read_journal(CheckContext& context) {
    const auto now = context.clock.steady();
    std::function<void(std::string_view)> each = [this, now](std::string_view line) {
      take(line, now);
    };
    return journal_->read(context, std::move(each));
  }

  Task<void> read_file(CheckContext& context) {
    const auto now = context.clock.steady();
    const LogFollower::TakeLine each = [this, now](std::string_view line) { take(line, now); };
    std::uint64_t bytes = 0;
    for (;;) {
      const auto reading = follower_.read(context.files, stretch_bytes, each);
      if (!reading) co_return reading.error();
      bytes += reading->bytes;
      skipped_ += reading->skipped;
      passed_over_.add(now, reading->skipped);
      if (reading->lost) lost_ = now;
      if (reading->missing)
        missing_since_ = missing_since_.value_or(now);
      else if (!reading->more)  // At the end alone it is known.
        missing_since_.reset();
      if (!reading->more || bytes >= limits::log_bytes_per_run) break;
      const auto executor = co_await asio::this_coro::executor;
      auto turn = asio::post(executor, asio::use_awaitable);
      co_await std::move(turn);
    }
    co_return Result<void>{};
  }

  void keep(CheckContext& context) {
    const auto now = context.clock.steady();
    boost::json::object kept;
    if (journal_) {
      kept["cursor"] = journal_->cursor();
    } else if (const auto position = follower_.position()) {
      kept = {{"file", params_.file},
              {"device", position->device},
              {"inode", position->inode},
              {"offset", position->offset}};
      const bool same_file = position->inode == kept_inode_;
      if (same_file && now < keep_again_) return;
      kept_inode_ = position->inode;
    }
    if (journal_ && now < keep_again_) return;
    keep_again_ = now + keep_every;
    kept["at"] = context.clock.wall().time_since_epoch().count();
    // It is far below the bound.
    [[maybe_unused]] const auto done = context.memory.keep(boost::json::serialize(kept));
  }

  LogParams params_;
  LogPatterns patterns_;
  std::vector<SampleSpec> specs_;
  LogMatches matches_;
  SlidingCount lines_;
  SlidingCount passed_over_;  ///< In bytes.
  LogFollower follower_;
  std::optional<JournalReader> journal_{};
  std::optional<SteadyTime> started_{};
  SteadyTime keep_again_{SteadyTime::min()};
  std::uint64_t kept_inode_{0};
  std::uint64_t skipped_{0};
  std::optional<SteadyTime> lost_{};  ///< When it was seen that lines are.
  std::optional<SteadyTime> missing_since_{};
  Duration away_{0};  ///< Between the position that it went on from and its start.
};

void judge_params(const LogParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (params.file.empty() == !params.journal.has_value())
    complain("file", "either file or journal is needed, and not both");
  if (!params.file.empty() && params.file.front() != '/')
    complain("file", "expected an absolute path");
  if (params.window < 10s || params.window > 24h)
    complain("window", "expected a window from 10s to 24h");
  std::vector<std::string_view> known;
  for (const auto& set : pattern_sets()) known.push_back(set.name);
  for (const auto& name : params.sets) {
    if (find_pattern_set(name) != nullptr) continue;
    const auto near = nearest(name, known);
    complain("sets",
             "no pattern set is called \"" + name + "\"" +
                 (near.empty() ? std::string{} : ": did you mean \"" + std::string{near} + "\"?"));
  }
  for (const auto& [name, pattern] : params.patterns)
    if (!is_pattern_name(name))
      complain("patterns",
               "the name \"" + cut_characters(clean_utf8(name), 60) +
                   "\" becomes a sample's: lower-case letters, digits and '_', at most 40");
  const auto all = all_patterns(params);
  if (all.empty()) complain("patterns", "nothing is looked for: name patterns or sets");
  if (all.size() > limits::log_patterns)
    complain("patterns", "more than " + std::to_string(limits::log_patterns) + " patterns");
}

}  // namespace

CheckType log_check() {
  LogParams shown;
  shown.sets = {"failed_logins"};
  return check_type<LogParams, LogCheck>(
      {
          .name = "log",
          .summary =
              "How often lines that match patterns come in a log file or in the journal, through "
              "every rotation.",
          .samples = log_specs(all_patterns(shown)),
          .example = "name: logins\n"
                     "type: log\n"
                     "file: /var/log/auth.log\n"
                     "sets: [failed_logins, sudo_abuse]\n"
                     "warning: sudo_abuse_matches >= 1\n"
                     "critical: failed_logins_per_second > 2 for 1m\n",
      },
      judge_params);
}

}  // namespace tocsin
