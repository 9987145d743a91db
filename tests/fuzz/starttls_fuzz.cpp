// What a server says in the clear before TLS, in every protocol: any bytes must give an agreement
// or an error, and never be listened to without end.
#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "checks/starttls.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/net/conversation.hpp"

namespace {

using namespace tocsin;

/// Says these bytes whatever it is told, in pieces, and closes.
class Replayed final : public Conversation {
 public:
  Replayed(std::string_view text, std::size_t piece) : rest_{text}, piece_{piece} {}
  Task<void> say(std::string) override { co_return Result<void>{}; }
  Task<std::string_view> hear() override {
    const auto said = rest_.substr(0, piece_);
    if (said.empty()) co_return Error{Errc::disconnected, "fuzz:1 closed the connection"};
    rest_.remove_prefix(said.size());
    heard += said.size();
    co_return said;
  }
  const std::string& peer() const override { return peer_; }

  std::size_t heard{0};

 private:
  std::string_view rest_;
  std::size_t piece_;
  std::string peer_{"fuzz:1"};
};

asio::awaitable<void> ask(checks::StartTls protocol, std::string_view text, std::size_t piece) {
  Replayed peer{text, piece};
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
  asio::io_context loop{1};
  bool over = false;
  asio::co_spawn(loop, ask(all.at(data[0] % all.size()), text, data[1] + 1u),
                 [&](std::exception_ptr fault) {
                   if (fault) std::terminate();
                   over = true;
                 });
  loop.run();
  check_that(over, "every talk ends");
  return 0;
}
