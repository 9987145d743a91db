// What people write of addresses and of a plugin's thresholds: any bytes must give a value or an
// error, and what was accepted must keep its promises.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "checks/range.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::check_that;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto range = tocsin::checks::parse_range(text)) {
    check_that(range->start <= range->end, "a range begins before it ends");
    check_that(!range->alerts(std::nan("")), "nothing is known of what is not a number");
  }
  if (const auto url = tocsin::parse_url(text)) {
    const auto again = tocsin::parse_url(tocsin::to_string(*url));
    check_that(again && *again == *url, "a URL reads back as it was written");
    check_that(!url->target.empty() && url->target.front() == '/', "a target begins with '/'");
  }
  if (const auto place = tocsin::parse_host_port(text)) {
    const auto again = tocsin::parse_host_port(tocsin::to_string(*place));
    check_that(again && *again == *place, "an address reads back as it was written");
  }
  return 0;
}
