// What an IMAP server says: any bytes must give few, sorted, possible UIDs, and the sets made of
// them must read back.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checks/imap_reply.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::checks;

bool rises(const std::vector<ImapUid>& uids) {
  return std::ranges::adjacent_find(uids, std::ranges::greater_equal{}) == uids.end() &&
         (uids.empty() || uids.front() != 0);
}

ImapUid number(std::string_view text) {
  ImapUid value{};
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  check_that(fault == std::errc{} && rest == text.data() + text.size(), "a set has numbers");
  return value;
}

/// A set as a server reads it, for at most 100,000 messages.
std::vector<ImapUid> members(std::string_view set) {
  std::vector<ImapUid> out;
  if (set.empty()) return out;
  for (const auto part : split(set, ',')) {
    const auto colon = part.find(':');
    const auto first = number(part.substr(0, colon));
    const auto last = colon == part.npos ? first : number(part.substr(colon + 1));
    check_that(first <= last && last - first < 100'000, "a range rises");
    for (auto uid = first; uid < last; ++uid) out.push_back(uid);
    out.push_back(last);
  }
  return out;
}

void searches(std::string_view reply) {
  const auto uids = parse_imap_search(reply);
  check_that(uids.size() <= imap_uids_max && rises(uids), "UIDs are few and rise");
  check_that(members(imap_uid_set(uids)) == uids, "a set reads back");
  std::string said = "* SEARCH";
  for (const auto uid : uids) said += ' ' + std::to_string(uid);
  check_that(parse_imap_search(said + "\r\n") == uids, "what is written so reads back");
}

void fetches(std::string_view reply) {
  const auto arrivals = parse_imap_arrivals(reply);
  check_that(arrivals.size() <= imap_uids_max, "arrivals are few");
  std::vector<ImapUid> uids;
  for (const auto& arrival : arrivals) uids.push_back(arrival.uid);
  check_that(rises(uids), "UIDs rise");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  searches(text);
  searches("* SEARCH " + std::string{text});
  (void)parse_imap_uid_validity(text);
  check_that(
      parse_imap_uid_validity(std::string{text} + "\r\n* OK [UIDVALIDITY 5] x\r\n").value_or(5) !=
          0,
      "a validity is never 0");
  fetches(text);
  fetches("* 1 FETCH (" + std::string{text});
  // What is said in a literal counts for nothing.
  const std::string inside = "* 1 FETCH (UID 7 X {" + std::to_string(size) + "}\r\n" +
                             std::string{text} + ")\r\n* SEARCH 9\r\n";
  check_that(parse_imap_arrivals(inside).empty(), "a literal is no answer");
  check_that(parse_imap_search(inside) == std::vector<ImapUid>{9}, "what follows it is");
  // Any numbers make a set that names them.
  std::vector<ImapUid> numbers;
  for (std::size_t i = 0; i + 1 < size; i += 2)
    numbers.push_back(static_cast<ImapUid>(data[i] << 8 | data[i + 1]));
  const auto wanted = imap_uid_set(numbers);
  std::erase(numbers, 0u);
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  check_that(members(wanted) == numbers, "a set has all of them, and no others");
  return 0;
}
