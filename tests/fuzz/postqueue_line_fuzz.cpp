// What mail systems print of their queues, whose senders are strangers: any bytes must give a tally
// of bounded size, and no address but its domain.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "checks/mail_listing.hpp"
#include "tocsin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::checks;
  using tocsin::check_that;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)parse_postqueue_beginning(text);
  if (const auto message = parse_postqueue_line(text)) {
    check_that(!message->queue.empty() && message->arrival >= 0,
               "a message has a queue and an age");
    for (const auto& recipient : message->recipients)
      check_that(recipient.domain.find('@') == std::string::npos, "a domain is no address");
  }
  const auto reason = plain_reason(text);
  check_that(reason.size() <= 4 * 160, "a reason is bounded");
  check_that(reason.find('\n') == std::string::npos, "a reason is one line");
  for (const auto system : {MailSystem::postfix, MailSystem::exim}) {
    MailListing listing{system, 2'000'000'000};
    listing.take(text.substr(0, size / 2));
    listing.take(text.substr(size / 2));
    listing.finish();
    const auto& tally = listing.tally();
    check_that(tally.oldest.size() <= MailTally::oldest_kept, "few are kept");
    check_that(tally.held + tally.deferred + tally.active <= tally.depth, "each counts once");
  }
  return 0;
}
