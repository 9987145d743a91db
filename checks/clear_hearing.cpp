#include "checks/clear_hearing.hpp"

#include <utility>

#include "checks/net_samples.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {

ClearHearing::ClearHearing(Conversation& peer, std::string protocol)
    : peer_{peer}, protocol_{std::move(protocol)} {}

Error ClearHearing::stranger(std::string_view said) const {
  return {Errc::protocol,
          peer() + " does not speak " + protocol_ + ": it said " + quoted_answer(said)};
}

Task<void> ClearHearing::say(std::string text, std::string_view name) {
  awaited_ = "the answer to " + std::string{name};
  auto saying = peer_.say(std::move(text));
  const auto said = co_await std::move(saying);
  if (!said) co_return Error{said.error().code, said.error().detail + " (" + protocol_ + ")"};
  co_return Result<void>{};
}

Task<void> ClearHearing::more() {
  if (heard_bytes_ >= limits::starttls_bytes)
    co_return Error{
        Errc::too_large,
        peer() + " said more than " +
            describe_quantity(static_cast<double>(limits::starttls_bytes), Unit::bytes) +
            " before TLS, which is refused (waiting for " + awaited_ + ")"};
  auto hearing = peer_.hear();
  const auto piece = co_await std::move(hearing);
  if (!piece)
    co_return Error{piece.error().code,
                    piece.error().detail + " (waiting for " + awaited_ + " before TLS)"};
  heard_ += *piece;
  heard_bytes_ += piece->size();
  co_return Result<void>{};
}

Task<std::string> ClearHearing::line() {
  std::size_t seen = 0;
  for (;;) {
    const auto end = heard_.find('\n', seen);
    if (end != std::string::npos) {
      auto line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      co_return line;
    }
    seen = heard_.size();
    auto hearing = more();
    const auto heard = co_await std::move(hearing);
    if (!heard) co_return heard.error();
  }
}

Task<std::string> ClearHearing::bytes(std::size_t count) {
  while (heard_.size() < count) {
    auto hearing = more();
    const auto heard = co_await std::move(hearing);
    if (!heard) co_return heard.error();
  }
  auto taken = heard_.substr(0, count);
  heard_.erase(0, count);
  co_return taken;
}

}  // namespace tocsin::checks
