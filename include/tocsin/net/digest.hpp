#pragma once

#include <string>
#include <string_view>

namespace tocsin {

/// SHA-256 (FIPS 180-4) in lower-case hexadecimal, 64 characters: what stands in for a secret where
/// the secret itself may not be kept, to tell later whether it is still the same one.
std::string sha256_hex(std::string_view text);

}  // namespace tocsin
