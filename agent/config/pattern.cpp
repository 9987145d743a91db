#include <re2/re2.h>

#include "agent/config/reading.hpp"

namespace tocsin::config {

std::string judge_pattern(std::string_view pattern) {
  // Patterns that compile to more than this are mistakes, or attacks.
  constexpr std::int64_t most_bytes = 1 << 20;
  RE2::Options options{RE2::Quiet};
  options.set_max_mem(most_bytes);
  const RE2 compiled{re2::StringPiece{pattern.data(), pattern.size()}, options};
  return compiled.ok() ? std::string{} : compiled.error();
}

}  // namespace tocsin::config
