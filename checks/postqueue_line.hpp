#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// One recipient of a message that waits. Of the address only the domain is kept, for privacy.
struct WaitingRecipient {
  std::string domain{};        ///< Lower case; empty when the address has none.
  std::string delay_reason{};  ///< As plain_reason() makes it; empty when it was not tried yet.
};

/// One message of a mail queue.
struct WaitingMessage {
  std::string queue{};  ///< "incoming", "active", "deferred", "hold", "maildrop"; "frozen" in Exim.
  std::string id{};
  std::int64_t arrival{0};  ///< Seconds since the epoch.
  std::vector<WaitingRecipient> recipients{};
};

/// Reads one line of `postqueue -j` (postqueue(1), Postfix 3.1 and later): a JSON object whose
/// members we do not know are passed over. Errc::malformed when it is none, or without queue name
/// or arrival time.
Result<WaitingMessage> parse_postqueue_line(std::string_view line);

/// The beginning of a line that was cut inside its recipients, which Postfix writes last: the
/// message is read without them.
Result<WaitingMessage> parse_postqueue_beginning(std::string_view beginning);

/// A delay reason without what differs from message to message: addresses keep their domain alone
/// ("…@example.com"), IP addresses in brackets and long identifiers go, and so does the local part
/// of `address` where it stands alone. One clean line of bounded length.
std::string plain_reason(std::string_view reason, std::string_view address = {});

/// "example.com" of "jane@Example.COM"; empty when there is none.
std::string domain_of(std::string_view address);

}  // namespace tocsin::checks
