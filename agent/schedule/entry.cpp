#include "agent/schedule/entry.hpp"

#include <utility>

namespace tocsin::schedule {

void Agenda::enter(Place& place, SteadyTime when, Entry& who) {
  leave(place);
  if (place.node.empty()) {
    place.at = moments_.emplace(when, &who);
  } else {
    place.node.key() = when;
    place.at = moments_.insert(std::move(place.node));
  }
  place.entered = true;
}

void Agenda::leave(Place& place) {
  if (!place.entered) return;
  place.node = moments_.extract(place.at);
  place.entered = false;
}

}  // namespace tocsin::schedule
