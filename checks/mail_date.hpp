#pragma once

#include <optional>
#include <string_view>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// Reads the date and time of a mail header (RFC 5322, sections 3.3 and 4.3): "Mon, 23 Nov 2026
/// 04:36:18 +0000 (UTC)". The weekday is passed over and may be missing, as may the seconds; of the
/// old forms it takes years of two and three digits, comments between the parts and zones by name
/// ("EST"). A zone that is unknown or missing counts as UTC, and what follows it is passed over.
/// Nothing when it is no time, or one outside the years 1970 to 2199.
std::optional<WallTime> parse_mail_date(std::string_view text);

/// Reads the date-time of IMAP without its quotes (RFC 9051, section 9): "17-Jul-1996 02:44:25
/// -0700"; a day of one digit may have a blank before it. Nothing when it is none, or one outside
/// the years 1970 to 2199.
std::optional<WallTime> parse_imap_date(std::string_view text);

/// Moves `text` past a comment in parentheses, which it begins with: others may stand in it, and
/// '\' takes the meaning from the next character (RFC 5322, section 3.2.2). Past its end when the
/// comment has none.
void skip_comment(std::string_view& text);

}  // namespace tocsin::checks
