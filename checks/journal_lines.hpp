#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tocsin::checks {

/// Makes lines of what journalctl prints with --show-cursor, which comes in pieces of any size:
/// hands on each line without its end, cut at limits::log_line_bytes, and keeps the cursor that it
/// tells in its last line.
class JournalLines {
 public:
  using TakeLine = std::function<void(std::string_view line)>;
  explicit JournalLines(TakeLine take) : take_{std::move(take)} {}

  void add(std::string_view piece);
  /// Empty until it was told.
  const std::string& cursor() const { return cursor_; }

 private:
  void finish();
  TakeLine take_;
  std::string line_{};
  std::string cursor_{};
};

}  // namespace tocsin::checks
