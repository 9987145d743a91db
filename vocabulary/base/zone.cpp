#include "vocabulary/base/zone.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <mutex>

namespace tocsin {
namespace {

constexpr std::size_t zone_file_bytes = 256u << 10;  // The largest of tzdata has 4 KiB.
constexpr std::size_t zones_kept = 64;

/// Big-endian numbers off the front; running out makes everything after it fail.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_{bytes} {}
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }
  std::int64_t number(std::size_t bytes) {
    const auto raw = take(bytes);
    std::uint64_t value =
        !raw.empty() && (static_cast<unsigned char>(raw[0]) & 0x80u) ? ~std::uint64_t{0} : 0;
    for (const char c : raw) value = (value << 8u) | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
  }
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_{false};
};

struct Counts {
  bool good{false};
  char version{};
  std::size_t isut{}, isstd{}, leap{}, time{}, type{}, name{};
  std::size_t body_bytes(std::size_t time_bytes) const {
    return time * (time_bytes + 1) + type * 6 + name + leap * (time_bytes + 4) + isstd + isut;
  }
};

Counts take_header(Bytes& bytes) {
  Counts out;
  if (bytes.take(4) != "TZif") return out;
  const auto version = bytes.take(1);
  out.version = version.empty() ? '\0' : version[0];
  bytes.take(15);
  for (auto* count : {&out.isut, &out.isstd, &out.leap, &out.time, &out.type, &out.name}) {
    const auto value = bytes.number(4);
    if (value < 0 || value > static_cast<std::int64_t>(zone_file_bytes)) return out;
    *count = static_cast<std::size_t>(value);
  }
  out.good = !bytes.failed() && out.type > 0 && out.type < 256;
  return out;
}

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

std::int64_t year_of(std::int64_t unix_seconds) {
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds{std::chrono::seconds{unix_seconds}});
  return int{std::chrono::year_month_day{days}.year()};
}

/// Midnight of the day of the switch, as if local time were UTC, plus its time of day.
std::int64_t switch_seconds(const ZoneSwitch& when, std::int64_t year) {
  namespace c = std::chrono;
  const auto y = c::year{static_cast<int>(year)};
  const auto january = c::sys_days{y / c::January / 1};
  auto day = january;
  switch (when.form) {
    case ZoneSwitch::Form::month_week_day: {
      const auto month = c::month{static_cast<unsigned>(when.month)};
      const auto weekday = c::weekday{static_cast<unsigned>(when.day)};
      day = when.week == 5 ? c::sys_days{y / month / weekday[c::last]}
                           : c::sys_days{y / month / weekday[static_cast<unsigned>(when.week)]};
      break;
    }
    case ZoneSwitch::Form::day_without_leap:
      day = january + c::days{when.day - 1 + (is_leap(year) && when.day > 59 ? 1 : 0)};
      break;
    case ZoneSwitch::Form::day_with_leap:
      day = january + c::days{when.day};
      break;
  }
  return c::sys_seconds{day}.time_since_epoch().count() + when.at_seconds;
}

ZoneOffset footer_at(const ZoneFooter& footer, std::int64_t unix_seconds) {
  if (!footer.summer) return footer.standard;
  const auto year = year_of(unix_seconds + footer.standard.seconds);
  const auto begin = switch_seconds(footer.begin, year) - footer.standard.seconds;
  const auto end = switch_seconds(footer.end, year) - footer.summer->seconds;
  const bool summer = begin < end ? unix_seconds >= begin && unix_seconds < end
                                  : unix_seconds >= begin || unix_seconds < end;
  return summer ? *footer.summer : footer.standard;
}

bool is_plain_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.back() == '/') return false;
  if (name.find("..") != std::string_view::npos || name.find("//") != std::string_view::npos)
    return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
}

std::shared_ptr<const Zone> read_zone(const std::string& name) {
  // Leap-second-aware ("right/") and duplicate trees hold the same names and would shift every
  // time.
  if (name.starts_with("right/") || name.starts_with("posix/")) return nullptr;
  std::ifstream file{"/usr/share/zoneinfo/" + name, std::ios::binary};
  if (!file) return nullptr;
  std::string bytes(zone_file_bytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return Zone::parse(bytes);
}

}  // namespace

std::shared_ptr<const Zone> Zone::parse(std::string_view text) {
  Bytes bytes{text};
  auto counts = take_header(bytes);
  if (!counts.good) return nullptr;
  std::size_t time_bytes = 4;
  if (counts.version >= '2') {
    bytes.take(counts.body_bytes(4));
    counts = take_header(bytes);
    time_bytes = 8;
    if (!counts.good) return nullptr;
  }
  auto zone = std::make_shared<Zone>();
  for (std::size_t i = 0; i < counts.time && !bytes.failed(); ++i)
    zone->transitions_.push_back(bytes.number(time_bytes));
  for (const char type : bytes.take(counts.time))
    zone->types_.push_back(static_cast<std::uint8_t>(type));
  std::vector<std::size_t> names_at;
  for (std::size_t i = 0; i < counts.type && !bytes.failed(); ++i) {
    zone->offsets_.push_back({bytes.number(4), {}});
    bytes.take(1);
    names_at.push_back(static_cast<unsigned char>(bytes.number(1)));
  }
  const auto names = bytes.take(counts.name);
  bytes.take(counts.leap * (time_bytes + 4) + counts.isstd + counts.isut);
  if (bytes.failed() || !std::ranges::is_sorted(zone->transitions_)) return nullptr;
  for (std::size_t i = 0; i < zone->offsets_.size(); ++i) {
    if (names_at[i] >= names.size()) return nullptr;
    zone->offsets_[i].name =
        std::string{names.substr(names_at[i], names.find('\0', names_at[i]) - names_at[i])};
  }
  if (std::ranges::any_of(zone->types_, [&](auto type) { return type >= zone->offsets_.size(); }))
    return nullptr;
  auto footer = bytes.rest();
  if (time_bytes == 8 && footer.starts_with('\n')) {
    footer.remove_prefix(1);
    zone->footer_ = parse_posix_zone(footer.substr(0, footer.find('\n')));
  }
  return zone;
}

ZoneOffset Zone::at(std::int64_t unix_seconds) const {
  const auto after = std::ranges::upper_bound(transitions_, unix_seconds);
  if (after == transitions_.end() && footer_) return footer_at(*footer_, unix_seconds);
  if (after == transitions_.begin()) return offsets_.front();
  return offsets_[types_[static_cast<std::size_t>(after - transitions_.begin()) - 1]];
}

std::shared_ptr<const Zone> find_zone(std::string_view name) {
  if (!is_plain_zone_name(name)) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>, std::less<>> known;
  const std::lock_guard lock{mutex};
  if (const auto it = known.find(name); it != known.end()) return it->second;
  auto zone = read_zone(std::string{name});
  if (known.size() >= zones_kept) known.clear();
  if (zone) known.emplace(name, zone);
  return zone;
}

}  // namespace tocsin
