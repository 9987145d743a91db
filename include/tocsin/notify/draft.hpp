#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin {

// An effect made ready to send: what policy's wording drafts from the incident at the moment of the
// attempt. Text is plain; receivers escape it for their own markup.

struct DraftCreateChannel {
  std::string name;  ///< "issue-nginx-2211"; the receiver may have to add "-2".
  std::string
      marker;  ///< "tocsin:INCIDENT_ID", to be put in the purpose and looked for on collisions.
  std::string purpose;  ///< The text of the purpose, marker included: used when adopting.
};
struct DraftSetPurpose {
  std::string text;
};
struct DraftSetTopic {
  std::string text;
};
/// The pinned summary: a headline, the fields in order, and what was seen.
struct DraftPutSummary {
  std::string headline;  ///< "CRITICAL · nginx on web-1".
  std::vector<std::pair<std::string, std::string>>
      fields;  ///< Title and value ("UNKNOWN" included).
  std::vector<std::string> evidence;
  std::string footer;  ///< Incident id, history, how to act.
};
struct DraftPin {};
struct DraftBookmark {
  std::string title, link;
};
struct DraftInvite {
  std::vector<std::string> who;
};
struct DraftPost {
  std::string text;
};
struct DraftArchive {};
/// The prefilled page. `details` keep their order; the notifier fits them to the vendor's size by a
/// ladder.
struct DraftTrigger {
  std::string service, key;
  std::string routing_key_digest;  ///< Of the routing key that the page was accepted under; empty:
                                   ///< the configured one.
  std::string summary;             ///< ≤1024 characters.
  std::string source;              ///< The host.
  std::string severity;            ///< critical | error | warning | info.
  std::string component, group, event_class;
  WallTime at{};
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<std::string> evidence;
  std::vector<std::string> members;                        ///< One line each, worst first.
  std::vector<std::pair<std::string, std::string>> links;  ///< Text and URL.
};
struct DraftAcknowledge {
  std::string service, key;
  std::string routing_key_digest;  ///< As in DraftTrigger.
};
struct DraftResolve {
  std::string service, key;
  std::string routing_key_digest;  ///< As in DraftTrigger.
};

using DraftBody = std::variant<DraftCreateChannel, DraftSetPurpose, DraftSetTopic, DraftPutSummary,
                               DraftPin, DraftBookmark, DraftInvite, DraftPost, DraftArchive,
                               DraftTrigger, DraftAcknowledge, DraftResolve>;

/// One attempt's order.
struct Draft {
  IncidentId incident{};
  EntryId entry{};
  DraftBody body{};
  Channel channel{};         ///< The incident's channel as it is known now.
  bool ambiguous{false};     ///< Reconcile before repeating: an earlier attempt may have arrived.
  WallTime first_attempt{};  ///< When the first attempt began (now, for a first one).
};

}  // namespace tocsin
