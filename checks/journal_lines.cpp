#include "checks/journal_lines.hpp"

#include <algorithm>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view cursor_mark = "-- cursor: ";

}  // namespace

void JournalLines::add(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const auto part = piece.substr(0, end);
    const auto room = limits::log_line_bytes - std::min(limits::log_line_bytes, line_.size());
    line_.append(part.substr(0, room));
    if (end == std::string_view::npos) return;
    finish();
    piece.remove_prefix(end + 1);
  }
}

void JournalLines::finish() {
  if (starts_with(line_, cursor_mark))
    cursor_ = line_.substr(cursor_mark.size());
  else
    take_(line_);
  line_.clear();
}

}  // namespace tocsin::checks
