#include <cstdio>
#include <cstdlib>

#include "tocsin/base/error.hpp"

namespace tocsin {

void check_that(bool holds, const char* what) noexcept {
  if (holds) return;
  // stderr is unbuffered: nothing is lost when abort() does not flush.
  std::fputs("tocsin: broken invariant: ", stderr);
  std::fputs(what, stderr);
  std::fputs("\n", stderr);
  std::abort();
}

}  // namespace tocsin
