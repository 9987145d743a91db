#include "tocsin/net/basic_auth.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstddef>
#include <string>
#include <utility>

#include "tocsin/base/error.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {

Secret basic_authorization(std::string_view user, const Secret& password) {
  constexpr std::string_view scheme = "Basic ";
  // Configuration bounds both; beyond that OpenSSL's int would be too small.
  check_that(user.size() + password.reveal().size() <= limits::config_file_bytes,
             "a user name and password are longer than any configuration");
  std::string plain;
  // Its final size at once: growing would leave copies of the password behind.
  plain.reserve(user.size() + 1 + password.reveal().size());
  plain.append(user).append(":").append(password.reveal());
  // Four characters for three bytes, and the zero that OpenSSL ends them with.
  std::string encoded(scheme.size() + (plain.size() + 2) / 3 * 4 + 1, '\0');
  scheme.copy(encoded.data(), scheme.size());
  const auto written = EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(encoded.data() + scheme.size()),
      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  encoded.resize(scheme.size() + static_cast<std::size_t>(written));
  ::OPENSSL_cleanse(plain.data(), plain.size());
  return Secret{std::move(encoded)};
}

}  // namespace tocsin
