#include "checks/clear_hearing.hpp"

#include <utility>

#include "checks/net_samples.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {

ClearHearing::ClearHearing(Conversation& peer, std::string protocol)
    : talk_{peer, limits::starttls_bytes}, protocol_{std::move(protocol)} {}

Error ClearHearing::stranger(std::string_view said) const {
  return {Errc::protocol,
          peer() + " does not speak " + protocol_ + ": it said " + quoted_answer(said)};
}

Task<void> ClearHearing::say(std::string text, std::string_view name) {
  awaited_ = "the answer to " + std::string{name};
  auto saying = talk_.say(std::move(text));
  const auto said = co_await std::move(saying);
  if (!said) co_return Error{said.error().code, said.error().detail + " (" + protocol_ + ")"};
  co_return Result<void>{};
}

Error ClearHearing::while_waiting(const Error& error) const {
  if (error.code == Errc::too_large)
    return {Errc::too_large,
            peer() + " said more than " +
                describe_quantity(static_cast<double>(limits::starttls_bytes), Unit::bytes) +
                " before TLS, which is refused (waiting for " + awaited_ + ")"};
  return {error.code, error.detail + " (waiting for " + awaited_ + " before TLS)"};
}

Task<std::string> ClearHearing::line() {
  auto hearing = talk_.hear_line();
  auto line = co_await std::move(hearing);
  if (!line) co_return while_waiting(line.error());
  co_return line;
}

Task<std::string> ClearHearing::bytes(std::size_t count) {
  auto hearing = talk_.hear_bytes(count);
  auto bytes = co_await std::move(hearing);
  if (!bytes) co_return while_waiting(bytes.error());
  co_return bytes;
}

}  // namespace tocsin::checks
