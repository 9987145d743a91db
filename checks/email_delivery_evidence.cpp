#include "checks/email_delivery_evidence.hpp"

#include <algorithm>

#include "checks/words.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t messages_shown = 3;
/// A hop that took this long is worth naming as the cause.
constexpr Duration slow_hop = std::chrono::seconds{30};

/// "sent 2026-11-23T04:28:20Z (relay-1:587 said: 2.0.0 Ok: queued as 4XyZ)".
std::string sending_of(const TestMessage& one, const MailRoute& route) {
  auto text = "sent " + to_rfc3339(one.sent);
  if (!one.receipt.empty()) text += " (" + route.relay + " took it: " + one.receipt + ")";
  return text;
}

void tell_missing(const TestMessages& messages, const MailRoute& route, Now now,
                  std::vector<std::string>& lines) {
  const auto missing = messages.missing();
  for (std::size_t i = 0; i < std::min(missing.size(), messages_shown); ++i)
    lines.push_back("missing for " + describe(now.steady - missing[i]->since) + ": " +
                    sending_of(*missing[i], route));
  if (missing.size() > messages_shown)
    lines.push_back("and " + counted(missing.size() - messages_shown, "later test message") +
                    ", missing too");
  if (messages.full())
    lines.push_back("no more are sent: " + counted(test_messages_under_way, "test message") +
                    " under way");
}

void tell_lost(const TestMessages& messages, const MailRoute& route,
               std::vector<std::string>& lines) {
  const auto& lost = messages.lost();
  const auto first = lost.size() - std::min(lost.size(), messages_shown);
  for (std::size_t i = first; i < lost.size(); ++i)
    lines.push_back("lost: " + sending_of(lost[i], route));
}

void tell_newest(const NewestArrival& newest, std::vector<std::string>& lines) {
  auto line =
      "the newest to come, sent " + to_rfc3339(newest.sent) + ", took " + describe(newest.delay);
  if (newest.hop_time && !newest.slowest_hop.empty())
    line += ", of which " + describe(*newest.hop_time) + " at " + newest.slowest_hop;
  lines.push_back(std::move(line));
}

/// Whether a relay's words name the message: there is a number behind the status ("2.0.0 Ok: queued
/// as 4XyZ"), as every mail system's name for one has.
bool names_message(std::string_view receipt) {
  constexpr std::string_view digits = "0123456789";
  const auto status = receipt.find_first_not_of("0123456789.");
  return status != std::string_view::npos &&
         receipt.find_first_of(digits, status) != std::string_view::npos;
}

std::string probable_cause(const TestMessages& messages, const MailRoute& route) {
  if (!route.relay_fault.empty()) return route.relay_fault;
  if (!route.mailbox_fault.empty()) return route.mailbox_fault;
  const auto missing = messages.missing();
  if (missing.empty()) {
    const auto& newest = messages.newest();
    if (newest && newest->hop_time && *newest->hop_time >= slow_hop && !newest->slowest_hop.empty())
      return "mail waits at " + newest->slowest_hop + " (" + describe(*newest->hop_time) + ")";
    return {};
  }
  auto text = "mail that " + route.relay + " took has not come to " + route.mailbox;
  const auto& receipt = missing.front()->receipt;
  if (names_message(receipt)) text += "; look there for what it called \"" + receipt + "\"";
  return text;
}

}  // namespace

Evidence email_delivery_evidence(const TestMessages& messages, const MailRoute& route, Now now) {
  Evidence evidence;
  auto& lines = evidence.lines;
  for (const auto* fault : {&route.relay_fault, &route.mailbox_fault})
    if (!fault->empty()) lines.push_back(*fault);
  tell_missing(messages, route, now, lines);
  tell_lost(messages, route, lines);
  if (messages.newest()) tell_newest(*messages.newest(), lines);
  const auto standing = messages.standing(now);
  if (standing.late + standing.duplicates + standing.out_of_order > 0)
    lines.push_back("in the last day: " + std::to_string(standing.late) + " late, " +
                    std::to_string(standing.duplicates) + " twice, " +
                    std::to_string(standing.out_of_order) + " out of order");
  if (lines.size() > limits::evidence_lines) lines.resize(limits::evidence_lines);
  for (auto& line : lines) line = cut_characters(line, limits::evidence_line_characters);
  evidence.probable_cause = probable_cause(messages, route);
  return evidence;
}

}  // namespace tocsin::checks
