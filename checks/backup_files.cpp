#include "checks/backup_files.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "checks/wildcard.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// What programs that copy, download or dump call a file until it is whole.
constexpr std::array<std::string_view, 8> partial_endings{
    ".part", ".partial", ".filepart", ".incomplete", ".tmp", ".temp", ".crdownload", "~"};

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

bool is_newer(const FoundFile& a, const FoundFile& b) {
  return std::tie(a.modified, a.path, a.bytes) > std::tie(b.modified, b.path, b.bytes);
}

bool is_same(const FoundFile& a, const FoundFile& b) {
  return a.modified == b.modified && a.bytes == b.bytes && a.path == b.path;
}

/// Why its name says that it is no backup; empty when it does not.
std::string why_by_name(std::string_view name, const std::vector<std::string>& ignore) {
  for (const auto ending : partial_endings)
    if (ends_with(name, ending)) return "its name ends in " + std::string{ending};
  for (const auto& pattern : ignore)
    if (matches_wildcard(pattern, name)) return "'ignore' has " + pattern;
  return "";
}

}  // namespace

WallTime written_at(const FoundFile& file, WallTime now) {
  return file.modified <= now ? file.modified : std::min(file.modified, file.changed);
}

bool BackupHistory::holds(const FoundFile& file) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&](const FoundFile& other) { return is_same(file, other); });
}

void BackupHistory::insert(const FoundFile& file) {
  if (holds(file)) return;
  const auto place = std::lower_bound(files_.begin(), files_.end(), file, is_newer);
  files_.insert(place, file);
  if (files_.size() > sizes_compared + 1) files_.pop_back();
}

void BackupHistory::add(const std::vector<FoundFile>& backups) {
  // Newest first, so that of very many the first ones settle it.
  for (std::size_t i = 0; i < std::min(backups.size(), sizes_compared + 1); ++i) insert(backups[i]);
}

const FoundFile* BackupHistory::last_of(std::string_view path) const {
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [&](const FoundFile& file) { return file.path == path; });
  return found == files_.end() ? nullptr : &*found;
}

std::optional<double> BackupHistory::median_before(const FoundFile& newest) const {
  std::vector<double> sizes;
  for (const auto& file : files_)
    if (!is_same(file, newest) && is_newer(newest, file) && sizes.size() < sizes_compared)
      sizes.push_back(static_cast<double>(file.bytes));
  if (sizes.empty()) return std::nullopt;
  std::sort(sizes.begin(), sizes.end());
  const auto middle = sizes.size() / 2;
  return sizes.size() % 2 == 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2;
}

std::string BackupHistory::to_text() const {
  std::string text;
  for (const auto& file : files_) {
    if (file.path.find('\n') != std::string::npos) continue;
    text += std::to_string(file.modified.time_since_epoch().count()) + " " +
            std::to_string(file.bytes) + " " + file.path + "\n";
  }
  return text;
}

void BackupHistory::read(std::string_view text) {
  while (!text.empty()) {
    const auto line = take_line(text);
    Words words{line};
    const auto modified = words.number();
    const auto bytes = words.number();
    const auto slash = line.find('/');
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!modified || *modified > most || !bytes || slash == std::string_view::npos) continue;
    FoundFile file;
    file.path = line.substr(slash);
    file.bytes = *bytes;
    file.modified = WallTime{std::chrono::microseconds{static_cast<std::int64_t>(*modified)}};
    insert(file);
  }
}

ToldApart tell_apart(std::vector<FoundFile> found, const BackupRules& rules,
                     const BackupHistory& history, WallTime now) {
  std::sort(found.begin(), found.end(), [now](const FoundFile& a, const FoundFile& b) {
    return written_at(a, now) != written_at(b, now) ? written_at(a, now) > written_at(b, now)
                                                    : a.path > b.path;
  });
  ToldApart apart;
  for (auto& file : found) {
    auto why = why_by_name(name_of(file.path), rules.ignore);
    // One that was complete stays so, whatever the clock has done since.
    const bool being_written =
        why.empty() && !history.holds(file) && now - written_at(file, now) < rules.settle;
    if (why.empty() && file.bytes == 0) why = "it is empty";
    if (why.empty() && being_written)
      why = "it was written less than " + describe(rules.settle) + " ago";
    if (why.empty())
      apart.backups.push_back(std::move(file));
    else
      apart.others.push_back({std::move(file), std::move(why), being_written});
  }
  return apart;
}

}  // namespace tocsin::checks
