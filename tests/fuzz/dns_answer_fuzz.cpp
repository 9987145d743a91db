// What name servers answer, or somebody in their place: any bytes must give an answer of bounded
// size or an error. Names are expanded by c-ares, so this links it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "checks/dns_answer.hpp"
#include "tocsin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::checks;
  using tocsin::check_that;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto answer = parse_dns_answer(text)) {
    check_that(answer->records.size() <= dns_records_max, "an answer is bounded");
    for (const auto& record : answer->records) {
      check_that(record.text.size() <= 4 * 300, "a record is bounded");
      check_that(record.text.find('\0') == std::string::npos, "a record is text");
    }
  }
  for (const auto type : {DnsType::a, DnsType::aaaa, DnsType::txt}) {
    const auto plain = plain_record(type, text);
    check_that(plain_record(type, plain) == plain, "a plain record stays as it is");
  }
  (void)reverse_name(text);
  return 0;
}
