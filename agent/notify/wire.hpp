#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/secret.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::notify {

/// What a failure to get an answer means for the thing that was asked.
enum class FailureClass {
  not_carried_out,  ///< It never left, or not wholly: may be repeated.
  perhaps,          ///< It left, and no answer was seen: it may have been carried out.
  ours,  ///< Our side is set up wrongly (TLS trust, proxy credentials): repeating does not help.
};
FailureClass classify(const HttpFailure& failure);

/// The seconds of a Retry-After header, at most retry_after_most. A date or junk counts as absent:
/// the vendors send whole seconds.
std::optional<Duration> retry_after(const HttpResponse& response);
inline constexpr Duration retry_after_most = std::chrono::hours{1};

/// The text without any of the secrets, clean, and at most `characters` long: what a remote side
/// said may hold what we sent it.
std::string quoted(std::string_view text, const std::vector<Secret>& secrets,
                   std::size_t characters);

/// A secret as it came from its file, without the line end that editors leave there.
Secret trimmed(const Secret& secret);

}  // namespace tocsin::notify
