#include "checks/log_window.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::checks {

void SlidingCount::pass_to(SteadyTime now) {
  const auto slice = now.time_since_epoch() / slice_;
  if (slice <= newest_) return;
  const auto passed = std::min<std::int64_t>(slice - newest_, slices);
  for (std::int64_t i = 1; i <= passed; ++i) {
    auto& oldest = counts_[static_cast<std::size_t>(newest_ + i) % slices];
    total_ -= std::exchange(oldest, 0);
  }
  newest_ = slice;
}

void SlidingCount::add(SteadyTime now, std::uint64_t count) {
  pass_to(now);
  counts_[static_cast<std::size_t>(newest_) % slices] += count;
  total_ += count;
}

std::uint64_t SlidingCount::total(SteadyTime now) {
  pass_to(now);
  return total_;
}

}  // namespace tocsin::checks
