#include "agent/notify/wire.hpp"

#include <algorithm>
#include <charconv>

#include "tocsin/base/text.hpp"

namespace tocsin::notify {

FailureClass classify(const HttpFailure& failure) {
  // A handshake that was cut or slow is weather; one that was judged is a matter of trust or of the
  // clock.
  if (failure.error.code == Errc::tls) return FailureClass::ours;
  if (failure.phase == NetPhase::proxy && failure.error.code == Errc::refused) {
    return FailureClass::ours;
  }
  return failure.sent ? FailureClass::perhaps : FailureClass::not_carried_out;
}

std::optional<Duration> retry_after(const HttpResponse& response) {
  const auto text = trim(response.header("retry-after"));
  if (text.empty()) return std::nullopt;
  unsigned long seconds{};
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (rest != text.data() + text.size()) return std::nullopt;
  constexpr auto most = std::chrono::duration_cast<std::chrono::seconds>(retry_after_most);
  if (problem != std::errc{} || seconds > static_cast<unsigned long>(most.count())) return most;
  return std::chrono::seconds{static_cast<long>(seconds)};
}

std::string quoted(std::string_view text, const std::vector<Secret>& secrets,
                   std::size_t characters) {
  // Look at a bounded part only, but more than is shown, so that no secret is cut in two before it
  // is found.
  std::string shown{text.substr(0, characters * 4 + 4096)};
  for (const auto& secret : secrets) {
    const auto& needle = secret.reveal();
    if (needle.empty()) continue;
    for (auto at = shown.find(needle); at != std::string::npos; at = shown.find(needle, at)) {
      shown.replace(at, needle.size(), "<secret>");
    }
  }
  shown = clean_utf8(shown);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return cut_characters(shown, characters);
}

Secret trimmed(const Secret& secret) { return Secret{std::string{trim(secret.reveal())}}; }

}  // namespace tocsin::notify
