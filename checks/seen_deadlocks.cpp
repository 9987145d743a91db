#include "checks/seen_deadlocks.hpp"

#include "tocsin/base/text.hpp"

namespace tocsin::checks {

void SeenDeadlocks::see(double count, SteadyTime now) {
  if (count <= 0) return;
  count_ = count;
  at_ = now;
}

std::string SeenDeadlocks::describe_at(SteadyTime now, std::string_view where) const {
  if (count_ <= 0 || now - at_ > told_for) return {};
  const auto ago = std::chrono::floor<std::chrono::seconds>(now - at_);
  return describe_number(count_) + (count_ == 1 ? " deadlock" : " deadlocks") + ", counted " +
         describe(ago) + " ago; " + std::string{where};
}

}  // namespace tocsin::checks
