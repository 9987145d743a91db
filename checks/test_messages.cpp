#include "checks/test_messages.hpp"

#include <algorithm>
#include <charconv>

#include "checks/json_members.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr auto day = std::chrono::hours{24};
/// Of somebody else's, for all we know.
constexpr WallTime never = WallTime::max();

std::int64_t hour_of(WallTime time) {
  return std::chrono::floor<std::chrono::hours>(time).time_since_epoch().count();
}

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), number, 16).ptr;
  return {digits.begin(), end};
}

}  // namespace

TestMessages::TestMessages(std::string tag, Duration send_every, Duration lost_after)
    : tag_{std::move(tag)}, send_every_{send_every}, lost_after_{lost_after} {}

bool TestMessages::due(Now now) const {
  if (full()) return false;
  // A run may come a little early, and the next one may be far.
  const auto slack = std::min<Duration>(send_every_ / 10, std::chrono::seconds{1});
  return !last_begun_ || now.steady - *last_begun_ + slack >= send_every_;
}

const TestMessage& TestMessages::begin(Now now, std::uint64_t chance) {
  last_begun_ = now.steady;
  begun_ = now.wall;
  // Those that may never have left must not keep others from it.
  if (under_way_.size() >= test_messages_under_way) {
    const auto oldest = std::ranges::find(under_way_, false, &TestMessage::accepted);
    under_way_.erase(oldest == under_way_.end() ? under_way_.begin() : oldest);
  }
  const auto sent = now.wall.time_since_epoch().count();
  under_way_.push_back({.id = tag_ + "." + std::to_string(sent) + "." + hex(chance),
                        .sent = now.wall,
                        .since = now.steady});
  return under_way_.back();
}

void TestMessages::accept(std::string_view receipt) {
  if (under_way_.empty()) return;
  under_way_.back().accepted = true;
  under_way_.back().receipt = cut_characters(clean_utf8(trim(receipt)), receipt_characters);
}

void TestMessages::refuse() {
  if (!under_way_.empty()) under_way_.pop_back();
  be_due();
}

void TestMessages::be_due() {
  last_begun_.reset();
  begun_.reset();
}

void TestMessages::open_mailbox(std::uint32_t validity) {
  if (validity != validity_) {
    mailbox_.clear();
    renumbered_ = true;
  }
  validity_ = validity;
}

/// The id says when it was sent: TAG.MICROSECONDS.CHANCE.
std::optional<WallTime> TestMessages::sent_of(std::string_view id) const {
  if (!id.starts_with(tag_ + ".")) return std::nullopt;
  const auto digits = id.substr(tag_.size() + 1);
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (fault != std::errc{} || end == digits.data() + digits.size() || *end != '.')
    return std::nullopt;
  return wall_time_of(number);
}

TestMessages::Counts& TestMessages::counts(Now now) { return counts_[hour_of(now.wall)]; }

/// Whether the message that arrived is one of these; then it is so no more.
bool TestMessages::take(std::deque<TestMessage>& from, const Arrival& arrival, Now now) {
  const auto one = std::ranges::find(from, arrival.id, &TestMessage::id);
  if (one == from.end()) return false;
  const Duration seen_after = now.steady - one->since;
  // The mailbox's clock may be off: it cannot have come before it was sent or after it was seen.
  Duration delay = seen_after;
  if (arrival.came)
    delay = std::clamp<Duration>(*arrival.came - one->sent, Duration{0}, seen_after);
  if (newest_ && one->sent < newest_->sent) {
    ++counts(now).out_of_order;
  } else {
    newest_ = NewestArrival{one->sent, delay, arrival.slowest_hop, arrival.hop_time};
  }
  arrived_.push_back(one->id);
  if (arrived_.size() > test_messages_arrived) arrived_.pop_front();
  from.erase(one);
  return true;
}

void TestMessages::arrive(const Arrival& arrival, Now now) {
  if (mailbox_.size() >= mailbox_messages) return;
  const auto sent = sent_of(arrival.id);
  auto& deletable = mailbox_[arrival.uid];
  deletable = now.wall;
  if (!sent) {
    deletable = never;
  } else if (take(under_way_, arrival, now)) {
    return;
  } else if (take(lost_, arrival, now)) {
    ++counts(now).late;
  } else if (std::ranges::find(arrived_, arrival.id) != arrived_.end()) {
    if (!renumbered_) ++counts(now).duplicates;
  } else {
    // Sent before our memory was lost, or by another host of the same name.
    deletable = *sent + std::chrono::ceil<WallTime::duration>(lost_after_) + day;
  }
}

void TestMessages::conclude(std::span<const std::uint32_t> found, Now now) {
  renumbered_ = false;
  std::erase_if(mailbox_, [&](const auto& one) {
    return std::ranges::find(found, one.first) == found.end();
  });
  for (auto one = under_way_.begin(); one != under_way_.end();) {
    if (now.steady - one->since < lost_after_) {
      ++one;
      continue;
    }
    if (one->accepted) lost_.push_back(std::move(*one));
    one = under_way_.erase(one);
  }
  forget(now);
}

void TestMessages::forget(Now now) {
  // A lost message is told of for a day from when it was called lost.
  while (!lost_.empty() && (lost_.size() > test_messages_lost ||
                            now.steady - lost_.front().since > lost_after_ + day))
    lost_.pop_front();
  const auto oldest = hour_of(now.wall) - 24;
  std::erase_if(counts_, [&](const auto& one) {
    return one.first < oldest || one.first > oldest + 24;  // The clock may have been set back.
  });
}

std::vector<std::uint32_t> TestMessages::to_delete(std::span<const std::uint32_t> found,
                                                   Now now) const {
  std::vector<std::uint32_t> all;
  for (const auto uid : found) {
    const auto known = mailbox_.find(uid);
    if (known != mailbox_.end() && known->second <= now.wall) all.push_back(uid);
  }
  return all;
}

std::vector<const TestMessage*> TestMessages::missing() const {
  std::vector<const TestMessage*> all;
  for (const auto& one : under_way_)
    if (one.accepted) all.push_back(&one);
  return all;
}

MailStanding TestMessages::standing(Now now) const {
  MailStanding standing;
  if (newest_) standing.delay = newest_->delay;
  for (const auto* one : missing()) {
    ++standing.missing;
    standing.delay =
        std::max<Duration>(standing.delay.value_or(Duration{0}), now.steady - one->since);
  }
  standing.lost = lost_.size();
  for (const auto& [hour, counts] : counts_) {
    standing.late += counts.late;
    standing.duplicates += counts.duplicates;
    standing.out_of_order += counts.out_of_order;
  }
  return standing;
}

}  // namespace tocsin::checks
