#include "checks/dns_answer.hpp"

#include <ares.h>
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t text_characters_max = 300;
constexpr std::size_t text_bytes_max = 4096;

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string without_last_dot(std::string name) {
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

/// Reads on through a message, and knows when it has come to its end too soon.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message) : message_{message} {}

  bool good() const { return good_; }
  std::size_t at() const { return at_; }
  void skip(std::size_t bytes) { (void)take(bytes); }
  std::uint16_t two() {
    const auto bytes = take(2);
    return bytes.empty() ? std::uint16_t{0}
                         : static_cast<std::uint16_t>(byte(bytes, 0) << 8 | byte(bytes, 1));
  }
  std::uint32_t four() {
    const std::uint32_t high = two();
    return high << 16 | two();
  }
  std::string_view take(std::size_t bytes) {
    if (!good_ || message_.size() - at_ < bytes) {
      good_ = false;
      return {};
    }
    at_ += bytes;
    return message_.substr(at_ - bytes, bytes);
  }
  /// A name, which may point back into the message.
  std::string name() {
    char* text = nullptr;
    long length = 0;
    const auto* start = reinterpret_cast<const unsigned char*>(message_.data());
    if (!good_ || at_ >= message_.size() ||
        ::ares_expand_name(start + at_, start, static_cast<int>(message_.size()), &text, &length) !=
            ARES_SUCCESS) {
      good_ = false;
      return {};
    }
    std::string out{text};
    ::ares_free_string(text);
    skip(static_cast<std::size_t>(length));
    return without_last_dot(lower(clean_utf8(out)));
  }

 private:
  static unsigned byte(std::string_view bytes, std::size_t index) {
    return static_cast<unsigned char>(bytes[index]);
  }
  std::string_view message_;
  std::size_t at_{0};
  bool good_{true};
};

std::string address_of(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::size_t wanted = family == AF_INET ? 4 : 16;
  if (bytes.size() != wanted ||
      ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

/// The strings of a TXT record, joined.
std::string joined(std::string_view data) {
  std::string out;
  while (!data.empty() && out.size() < text_bytes_max) {
    const std::size_t length = static_cast<unsigned char>(data.front());
    data.remove_prefix(1);
    out.append(data.substr(0, length));
    data.remove_prefix(std::min(length, data.size()));
  }
  return out;
}

/// The text of a record's data, which begins where the reader is.
std::string text_of(std::uint16_t type, std::size_t length, MessageReader& reader) {
  switch (static_cast<DnsType>(type)) {
    case DnsType::a:
      return address_of(AF_INET, reader.take(length));
    case DnsType::aaaa:
      return address_of(AF_INET6, reader.take(length));
    case DnsType::ns:
    case DnsType::cname:
    case DnsType::ptr:
      return reader.name();
    case DnsType::txt:
      return joined(reader.take(length));
    case DnsType::mx: {
      const auto preference = reader.two();
      return std::to_string(preference) + " " + reader.name();
    }
    case DnsType::srv: {
      std::string out;
      for (int i = 0; i < 3; ++i) out += std::to_string(reader.two()) + " ";
      return out + reader.name();
    }
    case DnsType::soa: {
      auto out = reader.name();
      out += " " + reader.name();
      for (int i = 0; i < 5; ++i) out += " " + std::to_string(reader.four());
      return out;
    }
  }
  return {};
}

std::optional<DnsRecord> read_record(std::string_view message, MessageReader& reader) {
  (void)reader.name();
  DnsRecord record;
  record.type = reader.two();
  reader.skip(2);  // The class: we asked for IN.
  record.ttl = reader.four();
  const std::size_t length = reader.two();
  const auto begin = reader.at();
  reader.skip(length);
  if (!reader.good()) return std::nullopt;
  // Names in the data may point anywhere before it, never beyond its end.
  MessageReader data{message.substr(0, begin + length)};
  data.skip(begin);
  record.text = cut_characters(clean_utf8(text_of(record.type, length, data)), text_characters_max);
  if (!data.good()) return std::nullopt;
  return record;
}

}  // namespace

Result<DnsAnswer> parse_dns_answer(std::string_view message) {
  const Error not_dns{Errc::malformed, "it is not a DNS message"};
  if (message.size() < header_bytes) return not_dns;
  MessageReader reader{message};
  DnsAnswer answer;
  reader.skip(2);
  const auto flags = reader.two();
  constexpr unsigned is_answer = 0x8000, is_truncated = 0x0200, code = 0x000f;
  if ((flags & is_answer) == 0) return not_dns;
  answer.code = static_cast<int>(flags & code);
  answer.truncated = (flags & is_truncated) != 0;
  const int questions = reader.two();
  const int records = reader.two();
  reader.skip(4);
  for (int i = 0; i < questions && reader.good(); ++i) {
    (void)reader.name();
    reader.skip(4);
  }
  for (int i = 0; i < records && answer.records.size() < dns_records_max; ++i) {
    auto record = read_record(message, reader);
    // What a truncated answer breaks off with is not a fault.
    if (!record && answer.truncated) break;
    if (!record) return not_dns;
    answer.records.push_back(*std::move(record));
  }
  if (!reader.good() && !answer.truncated) return not_dns;
  return answer;
}

std::string name_of_code(int code) {
  static constexpr std::array<std::string_view, 11> names{
      "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
      "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  const auto index = static_cast<std::size_t>(code);
  return code >= 0 && index < names.size() ? std::string{names[index]}
                                           : "RCODE " + std::to_string(code);
}

std::string plain_record(DnsType type, std::string_view text) {
  const std::string trimmed{trim(text)};
  std::array<char, 16> bytes{};
  const int family = type == DnsType::a ? AF_INET : AF_INET6;
  switch (type) {
    case DnsType::a:
    case DnsType::aaaa:
      if (::inet_pton(family, trimmed.c_str(), bytes.data()) != 1) return trimmed;
      return address_of(family, {bytes.data(), family == AF_INET ? 4u : 16u});
    case DnsType::txt:
      return trimmed;
    case DnsType::ns:
    case DnsType::cname:
    case DnsType::ptr:
    case DnsType::mx:
    case DnsType::srv:
    case DnsType::soa:
      return without_last_dot(lower(trimmed));
  }
  return trimmed;
}

std::string reverse_name(std::string_view address) {
  const std::string text{address};
  std::array<unsigned char, 16> bytes{};
  std::string out;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    for (std::size_t i = 4; i-- > 0;) out += std::to_string(bytes[i]) + ".";
    return out + "in-addr.arpa";
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::string_view digits{"0123456789abcdef"};
  for (std::size_t i = 16; i-- > 0;) {
    out += digits[bytes[i] & 15u];
    out += '.';
    out += digits[bytes[i] >> 4u];
    out += '.';
  }
  return out + "ip6.arpa";
}

}  // namespace tocsin::checks
