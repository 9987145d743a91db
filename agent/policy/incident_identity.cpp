#include <algorithm>

#include "agent/policy/incident_machine.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

constexpr std::string_view crockford = "0123456789abcdefghjkmnpqrstvwxyz";

std::string base32(std::uint64_t value, std::size_t characters) {
  std::string text(characters, '0');
  for (std::size_t i = characters; i-- > 0; value >>= 5) text[i] = crockford[value & 31u];
  return text;
}

/// FNV-1a: the same on every host and in every version.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return value;
}

/// At most `bytes` of it, whole code points only.
std::string_view cut_plain(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::string group_key(std::string_view environment, const AlertNews& news) {
  return std::string{environment} + "/" + (news.fleet ? std::string{"fleet"} : news.host) + "/" +
         news.topic;
}

IncidentId make_incident_id(WallTime now, std::string_view host, std::uint64_t chance) {
  using std::chrono::milliseconds;
  // Units of 1024 ms since 1970: 8 characters hold 40 bits, enough for 35,000 years.
  const auto since = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const auto time = static_cast<std::uint64_t>(since < 0 ? 0 : since) >> 10;
  const auto host_bits = (hash(host) ^ (hash(host) >> 32)) & 0x3ffu;
  const auto chance_bits = (chance ^ (chance >> 32)) & 0x7fffu;
  return IncidentId{base32(time, 8) + "-" + base32((host_bits << 15) | chance_bits, 5)};
}

std::string dedup_key(const Incident& incident, std::string_view suffix) {
  const auto tail =
      "/" + incident.id.value + "/g" + std::to_string(incident.generation) + std::string{suffix};
  const auto head =
      clean_utf8("tocsin/" + incident.environment + "/" + incident.host + "/" + incident.topic);
  const auto room = limits::pagerduty_dedup_key_characters;
  return std::string{cut_plain(head, room - std::min(room, tail.size()))} + tail;
}

}  // namespace tocsin::policy
