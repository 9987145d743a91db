#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// The keys of `journal:`: whose messages.
struct JournalParams {
  std::string unit{};
  std::string identifier{};
  static constexpr auto fields() {
    return std::tuple{
        field("unit", &JournalParams::unit, "Messages of this unit; default: of all."),
        field("identifier", &JournalParams::identifier,
              "Messages under this name (as sshd, sudo).")};
  }
  friend bool operator==(const JournalParams&, const JournalParams&) = default;
};

/// Reads systemd's journal by asking journalctl for what came after a cursor: whatever ails the
/// journal is then the command's affair. Begins at the moment of the first look, unless it goes on
/// from a cursor or a time.
class JournalReader {
 public:
  explicit JournalReader(JournalParams params) : params_{std::move(params)} {}

  void resume(std::string cursor) { cursor_ = std::move(cursor); }
  /// The same where no entry had come yet.
  void resume(WallTime since) { since_ = since; }
  const std::string& cursor() const { return cursor_; }

  /// Hands on each new message as a line, oldest first, at most the last `lines_most`.
  static constexpr std::size_t lines_most = 20'000;
  Task<void> read(CheckContext& context, std::function<void(std::string_view line)> take);

 private:
  CommandRequest request(CheckContext& context) const;

  JournalParams params_;
  std::string cursor_{};
  std::optional<WallTime> since_{};  ///< Of the first look, while there is no cursor yet.
};

}  // namespace tocsin::checks
