// What a relay and a mailbox say once they have let us in: any bytes must give an outcome or an
// error that names the server, and never be listened to without end.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checks/imap_dialog.hpp"
#include "checks/imap_reply.hpp"
#include "checks/received_headers.hpp"
#include "checks/smtp_dialog.hpp"
#include "tests/fuzz/replayed.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

template <class T>
void judge(const Result<T>& outcome) {
  if (!outcome) check_that(outcome.error().detail.starts_with("fuzz:1 "), "the server is named");
}

asio::awaitable<void> hand_mail_over(std::string_view text, std::size_t piece) {
  fuzz::Replayed relay{text, piece};
  const OutgoingMail mail{"from@example.com", "to@example.com", "Subject: x\r\n\r\n.\r\n"};
  auto handing = hand_over(relay, mail);
  judge(co_await std::move(handing));
  check_that(relay.heard < smtp_bytes_max + piece, "what a relay says is bounded");
}

/// One look, as the check takes it, without stopping at what is refused.
asio::awaitable<void> look(std::string_view text, std::size_t piece) {
  fuzz::Replayed server{text, piece};
  ImapDialog dialog{server};
  auto selecting = dialog.select("INBOX");
  judge(co_await std::move(selecting));
  auto searching = dialog.search_subject("tag");
  const auto found = co_await std::move(searching);
  judge(found);
  const auto uids = found ? parse_imap_search(*found) : std::vector<ImapUid>{1};
  auto dating = dialog.fetch_dates(uids);
  const auto dated = co_await std::move(dating);
  judge(dated);
  if (dated) check_that(parse_imap_arrivals(*dated).size() <= imap_uids_max, "arrivals are few");
  auto reading = dialog.fetch_header(1);
  const auto header = co_await std::move(reading);
  judge(header);
  if (header) check_that(mail_hops(*header).size() <= mail_hops_max, "hops are few");
  auto removing = dialog.remove(uids);
  judge(co_await std::move(removing));
  check_that(server.heard < imap_bytes_max + piece, "what a mailbox says is bounded");
}

}  // namespace

/// The first byte chooses whom to talk to, the second the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  const std::size_t piece = data[1] + 1u;
  fuzz::run_to_end(data[0] % 2 == 0 ? hand_mail_over(text, piece) : look(text, piece));
  return 0;
}
