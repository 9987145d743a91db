#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// How long an LDAP message is in all, by its first bytes; nothing until they tell. Errc::protocol
/// when they begin no LDAP message.
Result<std::optional<std::size_t>> ldap_message_size(std::string_view begin);

/// What a server answered to an extended request (RFC 4511, 4.12): 0 is success.
struct LdapAnswer {
  unsigned code{0};
  std::string words{};  ///< Its diagnostic message, often empty.
};
/// Reads a whole message. Errc::protocol when it is no answer to an extended request.
Result<LdapAnswer> parse_ldap_answer(std::string_view message);

}  // namespace tocsin::checks
