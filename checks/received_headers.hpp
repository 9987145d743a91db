#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

inline constexpr std::size_t mail_header_bytes = 64u << 10;  ///< Of a message that are looked at.
inline constexpr std::size_t mail_hops_max = 50;
inline constexpr std::size_t mail_host_characters = 100;

/// The values of a mail's headers of that name, in the order in which they stand: letter case
/// aside, unfolded, as valid UTF-8 without control characters, trimmed. The block ends at its first
/// empty line; lines may end with CRLF or LF, and what is no header is passed over (RFC 5322,
/// section 2.2). At most `most`.
std::vector<std::string> mail_headers(std::string_view block, std::string_view name,
                                      std::size_t most);
/// The first of them.
std::optional<std::string> mail_header(std::string_view block, std::string_view name);

/// What one mail server says of having received a message (RFC 5321, section 4.4). The names are
/// its own words and those of its peer, so anything may stand there: valid UTF-8 without control
/// characters or blanks, at most mail_host_characters; empty when not said.
struct MailHop {
  std::string by{};    ///< Itself.
  std::string from{};  ///< Whom it had the message from.
  WallTime at{};
  friend bool operator==(const MailHop&, const MailHop&) = default;
};

/// The hops that a message took, in the order of its travel, from the Received headers of its
/// header block. One without a date that can be read is left out; of more than mail_hops_max the
/// last ones of the travel remain.
std::vector<MailHop> mail_hops(std::string_view block);

/// Where a message stayed longest.
struct SlowestHop {
  Duration held{};     ///< Never negative.
  std::string host{};  ///< Who had it meanwhile; never empty.
  friend bool operator==(const SlowestHop&, const SlowestHop&) = default;
};

/// The longest time from one stamp to the next, and the host that set the first of the two: it had
/// the message meanwhile. `sent` is a stamp before all hops, of the first hop's peer; `arrived` one
/// after them all. Stamps before `sent` count as `sent` and stamps after `arrived` as `arrived`, so
/// that a foreign clock that is off cannot make a hop longer than the whole travel; a stamp before
/// its predecessor adds nothing. The first of several that are equal. Nothing without a hop or with
/// a single stamp.
std::optional<SlowestHop> slowest_hop(std::span<const MailHop> hops,
                                      std::optional<WallTime> sent = std::nullopt,
                                      std::optional<WallTime> arrived = std::nullopt);

}  // namespace tocsin::checks
