#include "agent/policy/incident_turn.hpp"

namespace tocsin::policy {

Step step(const IncidentPolicy& policy, const Incident& incident, const Input& input, Now now) {
  Turn turn{policy, incident, now};
  return std::visit([&](const auto& what) { return on(std::move(turn), what); }, input);
}

}  // namespace tocsin::policy
