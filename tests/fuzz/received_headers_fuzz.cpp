// Headers of mail, which anybody may write: any bytes must give clean values of bounded number,
// times within the calendar, and a slowest hop that is never longer than the travel.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "checks/mail_date.hpp"
#include "checks/received_headers.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;
using namespace std::chrono_literals;

bool is_clean(std::string_view text) {
  return clean_utf8(text) == text && text.find_first_of("\t\n") == std::string_view::npos;
}
bool is_host(std::string_view text) {
  return is_clean(text) && text.find(' ') == std::string_view::npos &&
         cut_characters(text, mail_host_characters) == text;
}

void dates(std::string_view text) {
  const auto earliest = *parse_rfc3339("1969-12-31T00:00:00Z");
  const auto latest = *parse_rfc3339("2200-01-02T00:00:00Z");
  for (const auto& date : {parse_mail_date(text), parse_imap_date(text)})
    check_that(!date || (*date > earliest && *date < latest), "a date is one of these times");
  if (!parse_mail_date(text)) return;
  const std::string before = "(a \\) comment (in a comment)) " + std::string{text};
  check_that(parse_mail_date(before) == parse_mail_date(text), "a comment changes no date");
}

void headers(std::string_view block) {
  for (const auto* name : {"received", "Subject", "X-Tocsin-Message"}) {
    const auto all = mail_headers(block, name, 20);
    check_that(all.size() <= 20, "headers are counted");
    for (const auto& value : all)
      check_that(is_clean(value) && trim(value) == value, "a value is clean");
    const auto first = mail_header(block, name);
    check_that(first.has_value() == !all.empty(), "the first is one of all");
    check_that(!first || *first == all.front(), "the first comes first");
  }
}

void hops(std::string_view block) {
  const auto hops = mail_hops(block);
  check_that(hops.size() <= mail_hops_max, "hops are bounded");
  for (const auto& hop : hops) check_that(is_host(hop.by) && is_host(hop.from), "hosts are words");
  // A header put before the others is the newest hop, whatever the others are.
  const std::string stamp = "Received: from a.example by b.example; 23 Nov 2026 04:36:18 +0000\r\n";
  const bool continues = block.starts_with(' ') || block.starts_with('\t');
  if (!continues) {
    const auto more = mail_hops(stamp + std::string{block});
    check_that(!more.empty() && more.back().by == "b.example", "the newest hop is known");
  }
  check_that(slowest_hop(hops).has_value() == (hops.size() > 1), "two stamps make a time");
  const auto sent = *parse_rfc3339("2026-11-23T04:00:00.5Z");
  for (const auto travel : {0s, 90s, -90s}) {
    const auto slowest = slowest_hop(hops, sent, sent + travel);
    check_that(slowest.has_value() == !hops.empty(), "a hop has its time");
    if (!slowest) continue;
    check_that(slowest->held >= 0s && slowest->held <= std::max(travel, 0s), "time has bounds");
    check_that(!slowest->host.empty(), "a host has a name");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  dates(text);
  headers(text);
  hops(text);
  // Most bytes are no header: the same as what one says.
  hops("Received: " + std::string{text});
  return 0;
}
