#include "agent/policy/alert_machine.hpp"

namespace tocsin::policy {

double flap_percent(std::uint32_t ring) {
  constexpr int looks = 20;
  double sum = 0;
  for (int age = 0; age < looks; ++age) {
    const int i = looks - 1 - age;  // The newest look is bit 0 and weighs most.
    if ((ring >> age) & 1u) sum += 0.80 + 0.02 * i;
  }
  return 100.0 / looks * sum;
}

}  // namespace tocsin::policy
