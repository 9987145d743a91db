#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checks/postqueue_line.hpp"

namespace tocsin::checks {

/// Counts of words, at most so many of them; what comes when it is full is counted together.
class WordCounts {
 public:
  void add(const std::string& word);
  /// The most frequent ones, most frequent first.
  std::vector<std::pair<std::string, std::uint64_t>> top(std::size_t count) const;
  std::uint64_t total() const { return total_; }

  static constexpr std::size_t words_max = 1000;

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_{};
  std::uint64_t total_{0};
};

/// What is kept of a mail queue while it is read: as much for a million messages as for a thousand.
///
/// A message that Postfix moves from one queue to another while it lists them is counted twice, or
/// not at all. Knowing them again would take every id of the queues before, millions where it
/// matters least; and one that was missed would stay missed. So the counts are off by what moves
/// during a listing, in one run. The oldest is not: it is the same age in either queue.
struct MailTally {
  struct Waiting {
    std::int64_t arrival{0};
    std::string id{};
    std::string queue{};
  };
  static constexpr std::size_t oldest_kept = 3;

  void add(const WaitingMessage& message);

  std::uint64_t depth{0};
  std::uint64_t active{0};  ///< Being delivered, or about to be.
  std::uint64_t deferred{0};
  std::uint64_t held{0};
  std::uint64_t unreadable{0};     ///< Lines that were none of a queue.
  std::vector<Waiting> oldest{};   ///< Of those that are not held, the oldest first.
  WordCounts reasons{};            ///< One for each recipient that was tried.
  WordCounts recipient_domains{};  ///< One for each recipient.
};

}  // namespace tocsin::checks
