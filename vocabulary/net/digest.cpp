#include "tocsin/net/digest.hpp"

#include <openssl/evp.h>

#include <array>

#include "tocsin/base/error.hpp"

namespace tocsin {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  const auto good =
      EVP_Digest(text.data(), text.size(), bytes.data(), &length, EVP_sha256(), nullptr);
  check_that(good == 1, "SHA-256 is not available");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * std::size_t{length});
  for (unsigned int i = 0; i < length; ++i) {
    out += digits[bytes[i] >> 4u];
    out += digits[bytes[i] & 0xFu];
  }
  return out;
}

}  // namespace tocsin
