#include "checks/mail_tally.hpp"

#include <algorithm>

namespace tocsin::checks {

void WordCounts::add(const std::string& word) {
  ++total_;
  const auto found = counts_.find(word);
  if (found != counts_.end())
    ++found->second;
  else if (counts_.size() < words_max)
    counts_.emplace(word, 1);
}

std::vector<std::pair<std::string, std::uint64_t>> WordCounts::top(std::size_t count) const {
  std::vector<std::pair<std::string, std::uint64_t>> all{counts_.begin(), counts_.end()};
  const auto shown = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(),
                    [](const auto& a, const auto& b) {
                      return a.second != b.second ? a.second > b.second : a.first < b.first;
                    });
  all.resize(shown);
  return all;
}

void MailTally::add(const WaitingMessage& message) {
  ++depth;
  const bool is_held = message.queue == "hold" || message.queue == "frozen";
  if (is_held) ++held;
  if (message.queue == "deferred") ++deferred;
  if (message.queue == "active" || message.queue == "incoming" || message.queue == "maildrop")
    ++active;
  for (const auto& recipient : message.recipients) {
    if (!recipient.domain.empty()) recipient_domains.add(recipient.domain);
    if (!recipient.delay_reason.empty()) reasons.add(recipient.delay_reason);
  }
  if (is_held) return;
  if (oldest.size() == oldest_kept && oldest.back().arrival <= message.arrival) return;
  const auto before = std::upper_bound(
      oldest.begin(), oldest.end(), message.arrival,
      [](std::int64_t arrival, const Waiting& waiting) { return arrival < waiting.arrival; });
  oldest.insert(before, {message.arrival, message.id, message.queue});
  if (oldest.size() > oldest_kept) oldest.pop_back();
}

}  // namespace tocsin::checks
