// What a server says in the clear before TLS, in every protocol: any bytes must give an agreement
// or an error, and never be listened to without end.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "checks/starttls.hpp"
#include "tests/fuzz/replayed.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/net/conversation.hpp"

namespace {

using namespace tocsin;

asio::awaitable<void> ask(checks::StartTls protocol, std::string_view text, std::size_t piece) {
  fuzz::Replayed peer{text, piece};
  const auto before_tls = checks::ask_for_tls(protocol);
  auto asking = before_tls(peer);
  const auto beyond = co_await std::move(asking);
  check_that(peer.heard < limits::starttls_bytes + piece, "what is heard before TLS is bounded");
  if (beyond)
    check_that(text.substr(0, peer.heard).ends_with(*beyond), "what came too much is the end");
  else
    check_that(beyond.error().detail.starts_with("fuzz:1 "), "the server is named");
}

}  // namespace

/// The first byte is the protocol, the second the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using checks::StartTls;
  constexpr std::array all{StartTls::smtp, StartTls::lmtp, StartTls::imap,    StartTls::pop3,
                           StartTls::ftp,  StartTls::ldap, StartTls::postgres};
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  fuzz::run_to_end(ask(all.at(data[0] % all.size()), text, data[1] + 1u));
  return 0;
}
