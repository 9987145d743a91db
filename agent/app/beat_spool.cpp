#include "agent/app/beat_spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin::app {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t beats_kept = 1000;
/// A note of many control characters takes six bytes for each.
constexpr std::size_t file_bytes = 8 * limits::beat_note_bytes;

std::string text_in(const json::object& object, std::string_view key) {
  const auto at = object.find(key);
  return at == object.end() || !at->value().is_string() ? std::string{}
                                                        : std::string{at->value().get_string()};
}

std::int64_t number_in(const json::object& object, std::string_view key) {
  const auto at = object.find(key);
  return at == object.end() || !at->value().is_int64() ? -1 : at->value().get_int64();
}

/// What a job said last.
std::string_view last_of(std::string_view note) {
  return note.substr(note.size() - std::min(note.size(), limits::beat_note_bytes));
}

std::string to_text(const SpooledBeat& spooled) {
  const auto& beat = spooled.beat;
  json::object out{{"check", clean_utf8(spooled.check)},
                   {"kind", static_cast<int>(beat.kind)},
                   {"exit_code", beat.exit_code},
                   {"run", clean_utf8(beat.run)},
                   {"at", beat.at.wall.time_since_epoch().count()},
                   {"note", mask_credentials(clean_utf8(last_of(beat.note)))}};
  if (beat.took) out["took"] = beat.took->count();
  return json::serialize(out);
}

Result<SpooledBeat> from_text(const std::string& text) {
  boost::system::error_code fault;
  const auto value = json::parse(text, fault);
  if (fault || !value.is_object()) return Error{Errc::malformed, "not a beat"};
  const auto& object = value.get_object();
  const auto kind = number_in(object, "kind");
  const auto at = number_in(object, "at");
  if (kind < 0 || kind > static_cast<int>(Beat::Kind::log) || at < 0)
    return Error{Errc::malformed, "not a beat"};
  SpooledBeat out{.check = text_in(object, "check"), .beat = {}, .file = {}};
  out.beat.kind = static_cast<Beat::Kind>(kind);
  out.beat.exit_code =
      static_cast<int>(std::clamp<std::int64_t>(number_in(object, "exit_code"), 0, 255));
  out.beat.run = text_in(object, "run");
  out.beat.note = text_in(object, "note");
  out.beat.at.wall = WallTime{std::chrono::microseconds{at}};
  if (const auto took = number_in(object, "took"); took >= 0) out.beat.took = Duration{took};
  return out;
}

/// A plain file's text, whoever put it there; "" for anything else.
std::string read_plain(const std::string& path) {
  const runtime::Descriptor file{
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat about {};
  if (!file.open() || ::fstat(file.raw(), &about) != 0 || !S_ISREG(about.st_mode)) return {};
  std::string text(file_bytes, '\0');
  const auto count = ::read(file.raw(), text.data(), text.size());
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code fault;
  for (fs::directory_iterator at{folder, fault}, end; !fault && at != end; at.increment(fault)) {
    if (at->path().extension() == ".json") out.push_back(at->path().string());
    if (out.size() >= beats_kept) break;
  }
  return out;
}

}  // namespace

std::string beat_spool(const std::string& state_dir) { return state_dir + "/beats"; }

void make_beat_spool(const std::string& folder) {
  std::error_code ignored;
  fs::create_directory(folder, ignored);
  fs::permissions(folder, fs::perms::owner_all | fs::perms::group_all, ignored);
}

Result<void> spool_beat(const std::string& folder, const SpooledBeat& spooled) {
  if (files_in(folder).size() >= beats_kept)
    return Error{Errc::too_large, folder + " holds as many beats as it may"};
  std::random_device chance;
  const auto name = fmt::format("{}/{:020}-{:08x}", folder,
                                spooled.beat.at.wall.time_since_epoch().count(), chance());
  const auto unfinished = name + ".new";
  const auto text = to_text(spooled);
  runtime::Descriptor file{
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640)};
  // The agent reads it as one of the folder's group.
  struct stat about {};
  const bool written =
      file.open() && ::stat(folder.c_str(), &about) == 0 &&
      ::fchown(file.raw(), static_cast<uid_t>(-1), about.st_gid) == 0 &&
      ::fchmod(file.raw(), 0640) == 0 &&
      ::write(file.raw(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (written && ::rename(unfinished.c_str(), (name + ".json").c_str()) == 0) return {};
  const auto why = std::error_code{errno, std::generic_category()}.message();
  if (file.open()) ::unlink(unfinished.c_str());
  return Error{Errc::unreadable, folder + " takes no beat: " + why};
}

std::vector<SpooledBeat> spooled_beats(const std::string& folder) {
  auto files = files_in(folder);
  std::ranges::sort(files);  // Their names begin with the time.
  std::vector<SpooledBeat> out;
  for (auto& file : files) {
    auto beat = from_text(read_plain(file));
    if (!beat) {
      ::unlink(file.c_str());
      continue;
    }
    beat->file = std::move(file);
    out.push_back(*std::move(beat));
  }
  return out;
}

}  // namespace tocsin::app
