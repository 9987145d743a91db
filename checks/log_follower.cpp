#include "checks/log_follower.hpp"

#include <algorithm>
#include <utility>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// How far behind one may be before the oldest is passed over.
constexpr std::uint64_t backlog_bytes = 16 * std::uint64_t{limits::log_bytes_per_run};
/// Names looked at to find a file that was renamed.
constexpr std::size_t siblings_most = 64;

std::string_view without_return(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line.substr(0, limits::log_line_bytes);
}

}  // namespace

std::optional<LogPosition> LogFollower::position() const {
  if (file_ == nullptr) return resumed_;
  return LogPosition{identity_.device, identity_.inode, offset_};
}

void LogFollower::adopt(std::unique_ptr<GrowingFile> file, const FileIdentity& identity,
                        std::uint64_t offset) {
  file_ = std::move(file);
  identity_ = identity;
  offset_ = offset;
  in_mid_line_ = false;
}

/// The file that was read before, under the name that rotation gave it.
bool LogFollower::find_renamed(const HostFiles& files) {
  const auto slash = path_.rfind('/');
  const auto folder = slash == 0 ? std::string{"/"} : path_.substr(0, slash);
  const auto base = path_.substr(slash + 1);
  auto names = files.list(folder);
  if (!names) return false;
  std::erase_if(*names, [&](const std::string& name) { return !starts_with(name, base); });
  std::sort(names->begin(), names->end());
  if (names->size() > siblings_most) names->resize(siblings_most);
  for (const auto& name : *names) {
    auto file = files.follow((folder == "/" ? "" : folder) + "/" + name);
    if (!file) continue;
    const auto known = (*file)->identity();
    if (!known || !known->same_file({resumed_->device, resumed_->inode, 0})) continue;
    adopt(*std::move(file), *known, std::min(resumed_->offset, known->bytes));
    return true;
  }
  return false;
}

Result<void> LogFollower::begin(const HostFiles& files, Reading& reading) {
  if (file_ != nullptr) return {};
  auto file = files.follow(path_);
  if (!file) return file.error();
  const auto identity = (*file)->identity();
  if (!identity) return identity.error();
  if (!resumed_) {
    adopt(*std::move(file), *identity, identity->bytes);
  } else if (identity->same_file({resumed_->device, resumed_->inode, 0})) {
    // Shorter than what was read: it was truncated since.
    adopt(*std::move(file), *identity, resumed_->offset <= identity->bytes ? resumed_->offset : 0);
  } else if (!find_renamed(files)) {
    reading.lost = true;
    adopt(*std::move(file), *identity, 0);
  }
  resumed_.reset();
  return {};
}

void LogFollower::skip_what_is_too_much(Reading& reading) {
  const auto known = file_->identity();
  if (!known || known->bytes < offset_ || known->bytes - offset_ <= backlog_bytes) return;
  const auto target = known->bytes - limits::log_bytes_per_run;
  reading.skipped += target - offset_;
  offset_ = target;
  in_mid_line_ = true;
}

/// True at the end of the file. `ended`: nobody will write to it any more, so a last line without
/// its end is whole.
Result<bool> LogFollower::drain(std::uint64_t bytes_most, const TakeLine& take, Reading& reading,
                                bool ended) {
  while (reading.bytes < bytes_most) {
    const auto piece = file_->read_at(offset_);
    if (!piece) return piece.error();
    auto rest = *piece;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (!std::exchange(in_mid_line_, false)) take(without_return(rest.substr(0, end)));
      rest.remove_prefix(end + 1);
    }
    auto used = piece->size() - rest.size();
    const bool is_too_long = used == 0 && piece->size() == limits::growing_file_piece_bytes;
    if (!rest.empty() && (is_too_long || ended)) {
      if (!std::exchange(in_mid_line_, !ended)) take(without_return(rest));
      used = piece->size();
    }
    offset_ += used;
    reading.bytes += used;
    if (used == 0) return true;
  }
  return false;
}

Result<bool> LogFollower::turn_over(const HostFiles& files, const TakeLine& take,
                                    Reading& reading) {
  const auto now = file_->identity();
  if (!now) return now.error();
  if (now->bytes < offset_) {
    offset_ = 0;
    in_mid_line_ = false;
    return true;
  }
  auto next = files.follow(path_);
  // Between its renaming and its making there is none: the old one is held meanwhile.
  if (!next && next.error().code != Errc::missing) return next.error();
  reading.missing = !next;
  if (reading.missing) return false;
  const auto identity = (*next)->identity();
  if (!identity) return identity.error();
  if (identity->same_file(identity_)) return false;
  const auto rest = drain(reading.bytes + limits::growing_file_piece_bytes, take, reading, true);
  if (!rest) return rest.error();
  if (!*rest) return true;  // Something was written to it after all.
  adopt(*std::move(next), *identity, 0);
  return true;
}

Result<LogFollower::Reading> LogFollower::read(const HostFiles& files, std::uint64_t bytes_most,
                                               const TakeLine& take) {
  Reading reading;
  if (const auto begun = begin(files, reading); !begun) return begun.error();
  for (;;) {
    skip_what_is_too_much(reading);
    const auto at_end = drain(bytes_most, take, reading, false);
    if (!at_end) return at_end.error();
    if (!*at_end) {
      reading.more = true;
      return reading;
    }
    const auto goes_on = turn_over(files, take, reading);
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return reading;
  }
}

}  // namespace tocsin::checks
