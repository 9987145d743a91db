#pragma once

#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin::app {

/// Makes an effect ready to send, from the incident as it is at this moment: so a topic, summary or
/// page that waited through an outage says what is true now.
DraftBody draft(const Effect& effect, const Incident& incident, WallTime now);

}  // namespace tocsin::app
