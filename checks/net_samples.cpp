#include "checks/net_samples.hpp"

#include <algorithm>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {

namespace {

constexpr std::size_t answer_characters_max = 200;

}  // namespace

void put_time(Samples& samples, std::uint16_t spec, const std::optional<Duration>& time) {
  if (time) put(samples, spec, std::chrono::duration<double>(*time).count());
}

void put_days(Samples& samples, std::uint16_t spec,
              const std::optional<PeerCertificate>& certificate, WallTime now) {
  using Days = std::chrono::duration<double, std::ratio<86400>>;
  if (certificate) put(samples, spec, Days{certificate->not_after - now}.count());
}

bool says_nothing_of_peer(const Error& error) {
  return error.code == Errc::internal || error.code == Errc::cancelled ||
         error.code == Errc::malformed || error.code == Errc::unreadable;
}

std::string answer_words(std::string_view answer) {
  auto text = clean_utf8(answer.substr(0, 4 * answer_characters_max));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return cut_characters(trim(text), answer_characters_max);
}

std::string quoted_answer(std::string_view answer) { return "\"" + answer_words(answer) + "\""; }

}  // namespace tocsin::checks
