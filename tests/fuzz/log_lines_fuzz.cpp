// Lines of logs, in which strangers write: however they come, no line may be lost or come twice,
// all patterns tried at once must find what each finds alone, and no secret may be shown.
#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checks/journal_lines.hpp"
#include "checks/log_follower.hpp"
#include "checks/log_matches.hpp"
#include "checks/log_patterns.hpp"
#include "checks/redaction.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// A file in memory.
struct Content {
  std::uint64_t inode{};
  std::string bytes{};
};

class OpenContent final : public GrowingFile {
 public:
  explicit OpenContent(std::shared_ptr<const Content> content) : content_{std::move(content)} {}
  Result<FileIdentity> identity() const override {
    return FileIdentity{1, content_->inode, content_->bytes.size()};
  }
  Result<std::string_view> read_at(std::uint64_t offset) override {
    const std::string_view all{content_->bytes};
    return all.substr(std::min<std::size_t>(offset, all.size()), limits::growing_file_piece_bytes);
  }

 private:
  std::shared_ptr<const Content> content_;
};

/// A folder in memory, of files that grow.
class Folder final : public HostFiles {
 public:
  std::map<std::string, std::shared_ptr<Content>> files{};

  Result<std::unique_ptr<GrowingFile>> follow(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end()) return Error{Errc::missing, path};
    return std::unique_ptr<GrowingFile>{std::make_unique<OpenContent>(found->second)};
  }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    std::vector<std::string> names;
    for (const auto& [name, content] : files) names.push_back(name.substr(path.size() + 1));
    return names;
  }
  Result<std::unique_ptr<HostFile>> open(const std::string&) const override { return nothing(); }
  Result<std::string> read(const std::string&) const override { return nothing(); }
  Result<std::string> read_link(const std::string&) const override { return nothing(); }
  int cpu_count() const override { return 1; }
  std::uint64_t page_bytes() const override { return 4096; }
  std::uint64_t clock_ticks() const override { return 100; }

 private:
  static Error nothing() { return {Errc::unsupported, "only logs"}; }
};

/// What happens to a log, and what a reader is to make of it.
class Story {
 public:
  Story() { begin_file(); }

  void append(std::string_view bytes) {
    file_->bytes += bytes;
    for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
      line_ += bytes.substr(0, end);
      end_line();
      bytes.remove_prefix(end + 1);
    }
    line_ += bytes;
  }
  void rename() {
    if (renamed_since_read_) read(1u << 20);  // Two at once are one too many.
    folder_.files["/log/app.log." + std::to_string(file_->inode)] = file_;
    if (!line_.empty()) end_line();
    begin_file();
    renamed_since_read_ = true;
  }
  void truncate() {
    read(1u << 20);
    // A line without its end is lost, unless it was so long that its start was handed on.
    if (line_.size() >= limits::growing_file_piece_bytes) end_line();
    line_.clear();
    file_->bytes.clear();
    read(1u << 20);
  }
  void restart() {
    // The rest of a line whose start was handed on would be a line then.
    if (inside_long_line_) return;
    const auto position = follower_->position();
    check_that(position.has_value(), "a reader knows where it is");
    follower_ = std::make_unique<LogFollower>(path_);
    follower_->resume(*position);
  }
  void read(std::uint64_t most) {
    for (bool more = true; more;) {
      const auto reading = follower_->read(folder_, most, [&](std::string_view line) {
        check_that(line.size() <= limits::log_line_bytes, "a line is cut");
        seen_.emplace_back(line);
      });
      check_that(static_cast<bool>(reading), "what can be read is");
      check_that(!reading->lost && reading->skipped == 0, "nothing is lost");
      more = reading->more;
    }
    renamed_since_read_ = false;
    inside_long_line_ = line_.size() >= limits::growing_file_piece_bytes;
  }
  const Lines& finish() {
    rename();
    read(1u << 20);
    check_that(seen_ == wanted_, "each line comes once, in order");
    return seen_;
  }

 private:
  void begin_file() {
    file_ = std::make_shared<Content>(Content{++inodes_, {}});
    folder_.files[path_] = file_;
    if (inodes_ == 1) read(1);
  }
  void end_line() {
    if (line_.ends_with('\r')) line_.pop_back();
    wanted_.push_back(line_.substr(0, limits::log_line_bytes));
    line_.clear();
  }

  const std::string path_{"/log/app.log"};
  Folder folder_{};
  std::shared_ptr<Content> file_{};
  std::unique_ptr<LogFollower> follower_{std::make_unique<LogFollower>(path_)};
  std::uint64_t inodes_{0};
  bool renamed_since_read_{false};
  bool inside_long_line_{false};  ///< At the last reading.
  std::string line_{};
  Lines wanted_{}, seen_{};
};

/// A story written in bytes: what stands between bytes of 0x80 to 0x87 is appended.
Lines follow(std::string_view text) {
  Story story;
  int events = 0;
  while (!text.empty() && events < 24) {
    const auto event = std::find_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xF8u) == 0x80u;
    });
    const auto length = static_cast<std::size_t>(event - text.begin());
    story.append(text.substr(0, length));
    text.remove_prefix(length);
    if (text.empty()) break;
    ++events;
    switch (static_cast<unsigned char>(text.front()) & 7u) {
      case 0:
        story.rename();
        break;
      case 1:
        story.truncate();
        break;
      case 2:
        story.restart();
        break;
      case 3:
        story.append(std::string(40'000, 'x'));
        break;
      case 4:
        story.append(std::string(limits::growing_file_piece_bytes - 1, 'y'));
        break;
      case 5:
        story.read(1);
        break;
      default:
        story.read(1u << 20);
        break;
    }
    text.remove_prefix(1);
  }
  return story.finish();
}

Lines journal(std::string_view text) {
  Lines whole, pieces;
  JournalLines at_once{[&](std::string_view line) { whole.emplace_back(line); }};
  JournalLines in_pieces{[&](std::string_view line) { pieces.emplace_back(line); }};
  at_once.add(text);
  for (std::size_t length = 1; !text.empty(); length = length * 3 % 17 + 1) {
    in_pieces.add(text.substr(0, length));
    text.remove_prefix(std::min(length, text.size()));
  }
  check_that(whole == pieces, "pieces make the same lines");
  check_that(at_once.cursor() == in_pieces.cursor(), "and the same cursor");
  for (const auto& line : whole)
    check_that(line.size() <= limits::log_line_bytes, "a line of the journal is cut");
  return whole;
}

LogPatterns every_pattern() {
  LogPatterns all;
  for (const auto& set : pattern_sets())
    for (const auto& [name, text] : set.patterns) {
      check_that(is_pattern_name(name), "a pattern has a sample's name");
      check_that(all.try_emplace(std::string{name}, Pattern{std::string{text}}).second,
                 "names differ");
    }
  return all;
}

void matches(const Lines& lines) {
  static const auto patterns = every_pattern();
  static const auto alone = [] {
    std::vector<std::unique_ptr<RE2>> out;
    for (const auto& [name, pattern] : patterns) {
      out.push_back(std::make_unique<RE2>(pattern.text));
      check_that(out.back()->ok(), "a pattern that comes with the program is one");
    }
    return out;
  }();
  // One for all inputs, each an hour after the other: making it takes long.
  static LogMatches matches{patterns, 5min};
  static SteadyTime now{1000h};
  now += 1h;
  std::vector<std::uint64_t> wanted(alone.size());
  for (const auto& line : lines) {
    matches.take(line, now);
    for (std::size_t i = 0; i < alone.size(); ++i)
      if (RE2::PartialMatch(line, *alone[i])) ++wanted[i];
  }
  for (std::size_t i = 0; i < alone.size(); ++i)
    check_that(matches.matches(i, now) == wanted[i], "together they find what each finds");
  Evidence evidence;
  matches.tell(evidence, now);
  check_that(evidence.lines.size() <= limits::evidence_lines, "few lines are told");
  for (const auto& line : evidence.lines) {
    check_that(clean_utf8(line) == line, "what is told is clean");
    check_that(cut_characters(line, limits::evidence_line_characters) == line, "and short");
  }
  for (std::size_t i = 0; i < alone.size(); ++i)
    check_that(matches.matches(i, now + 30min) == 0, "what is old is forgotten");
}

void redaction(std::string_view text) {
  const auto clean = clean_utf8(text);
  const auto plain = redacted(clean);
  check_that(clean_utf8(plain) == plain, "what remains is clean");
  check_that(plain.size() <= 20 * (clean.size() + 1), "and not much longer");
  // Whatever stands around a secret, it does not stay.
  const auto half = clean.size() / 2;
  const auto before = clean_utf8(clean.substr(0, half)), after = clean_utf8(clean.substr(half));
  for (const auto* secret :
       {" password=hunter2horse ", " api_key: \"hunter2horse ", " 'token'='hunter2horse ",
        " https://jane:hunter2horse@db.example.com/ ", " Authorization: Bearer hunter2horse "}) {
    const auto shown = redacted(before + secret + after);
    check_that(shown.find("hunter2horse") == shown.npos || clean.find("hunter") != clean.npos,
               "a secret is not shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  matches(follow(text));
  matches(journal(text));
  redaction(text);
  return 0;
}
