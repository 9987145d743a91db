#include "checks/ldap_answer.hpp"

namespace tocsin::checks {
namespace {

// Tags (RFC 4511, appendix B; X.690).
constexpr unsigned char integer = 0x02;
constexpr unsigned char octets = 0x04;
constexpr unsigned char enumerated = 0x0a;
constexpr unsigned char sequence = 0x30;
constexpr unsigned char extended_response = 0x78;
/// Nobody sends a value of 4 GiB.
constexpr std::size_t length_bytes_max = 4;

Error no_answer() { return {Errc::protocol, "that is no LDAP answer"}; }

unsigned char at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

/// Where a value begins and ends.
struct Extent {
  std::size_t begin{0};
  std::size_t end{0};
};

/// The extent of the value whose tag comes first; nothing while its length is not there yet.
Result<std::optional<Extent>> extent_of(std::string_view text, unsigned char tag) {
  if (!text.empty() && at(text, 0) != tag) return no_answer();
  if (text.size() < 2) return std::optional<Extent>{};
  const std::size_t first = at(text, 1);
  if (first < 0x80) return std::optional{Extent{2, 2 + first}};
  const auto count = first - 0x80;
  if (count == 0 || count > length_bytes_max) return no_answer();
  if (text.size() < 2 + count) return std::optional<Extent>{};
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length * 256 + at(text, 2 + i);
  return std::optional{Extent{2 + count, 2 + count + length}};
}

/// Takes the value with this tag off the front.
std::optional<std::string_view> take(std::string_view& from, unsigned char tag) {
  const auto extent = extent_of(from, tag);
  if (!extent || !*extent || (*extent)->end > from.size()) return std::nullopt;
  const auto [begin, end] = **extent;
  const auto value = from.substr(begin, end - begin);
  from.remove_prefix(end);
  return value;
}

}  // namespace

Result<std::optional<std::size_t>> ldap_message_size(std::string_view begin) {
  const auto extent = extent_of(begin, sequence);
  if (!extent) return extent.error();
  if (!*extent) return std::optional<std::size_t>{};
  return std::optional{(*extent)->end};
}

Result<LdapAnswer> parse_ldap_answer(std::string_view message) {
  auto body = take(message, sequence);
  if (!body || !take(*body, integer)) return no_answer();
  auto response = take(*body, extended_response);
  if (!response) return no_answer();
  const auto code = take(*response, enumerated);
  if (!code || code->size() != 1 || !take(*response, octets)) return no_answer();
  const auto words = take(*response, octets);
  if (!words) return no_answer();
  return LdapAnswer{at(*code, 0), std::string{*words}};
}

}  // namespace tocsin::checks
