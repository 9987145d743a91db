#pragma once

#include <string_view>

#include "tocsin/base/secret.hpp"

namespace tocsin {

/// The value of an Authorization header that names this user and password (RFC 7617): "Basic …". As
/// secret as the password, for it is the password. A user name with a ':' in it cannot be told from
/// its password by the other side: refuse it before.
Secret basic_authorization(std::string_view user, const Secret& password);

}  // namespace tocsin
