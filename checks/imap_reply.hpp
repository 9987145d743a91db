#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// Names a message of a mailbox for good; never 0 (RFC 9051, section 2.3.1.1).
using ImapUid = std::uint32_t;

inline constexpr std::size_t imap_uids_max = 1000;  ///< Of one reply.

/// What a server says to UID SEARCH, on one line or several: "* SEARCH 2 84 882" (RFC 3501,
/// section 7.2.5). Ascending, each once; of more than imap_uids_max the highest, which are the
/// newest. What else the server says is passed over.
std::vector<ImapUid> parse_imap_search(std::string_view reply);

/// What a server says to SELECT of how long its UIDs hold: "* OK [UIDVALIDITY 3857529045] UIDs
/// valid" (RFC 3501, section 7.1). With another number than before they name other messages. The
/// last one; nothing when it says none.
std::optional<std::uint32_t> parse_imap_uid_validity(std::string_view reply);

/// When a message came into its mailbox.
struct ImapArrival {
  ImapUid uid{};
  WallTime at{};
  friend bool operator==(const ImapArrival&, const ImapArrival&) = default;
};

/// What a server says to UID FETCH … (UID INTERNALDATE): `* 3 FETCH (UID 12 INTERNALDATE
/// "17-Jul-1996 02:44:25 -0700")`, its items in any order and others among them (RFC 9051, section
/// 7.5.2). By ascending UID, each once, the first that was said; at most imap_uids_max. What else
/// the server says is passed over, and so is what is in a literal.
std::vector<ImapArrival> parse_imap_arrivals(std::string_view reply);

/// The set of these, in any order, as commands take it: "12,15,20:23"; 0 is left out. A
/// thousand of them take at most 11 kB, and servers need take no line longer than 8 kB (RFC
/// 7162, section 4): ask for fewer at once when they may lie far apart.
std::string imap_uid_set(std::span<const ImapUid> uids);

}  // namespace tocsin::checks
