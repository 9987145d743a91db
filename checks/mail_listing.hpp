#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "checks/exim_listing.hpp"
#include "checks/mail_tally.hpp"

namespace tocsin::checks {

enum class MailSystem { postfix, exim };

/// Reads what a mail system prints of its queue as it comes, in pieces of any size, and keeps a
/// tally of it. Bounded memory however long the queue and its lines are.
class MailListing {
 public:
  /// `now` in seconds since the epoch.
  MailListing(MailSystem system, std::int64_t now) : system_{system}, exim_{now} {}

  void take(std::string_view piece);
  /// The listing is over: what stands without a line's end is read too.
  void finish();
  const MailTally& tally() const { return tally_; }

  static constexpr std::size_t line_bytes_max = 256u << 10;

 private:
  void end_line();

  MailSystem system_;
  EximListing exim_;
  MailTally tally_{};
  std::string line_{};
  bool cut_{false};  ///< The line is longer than what is kept of it.
};

}  // namespace tocsin::checks
