#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tocsin/base/strong.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin {

// What a decision wants done in the world, as data. The text of desired-state effects (purpose,
// topic, summary, page) is drafted from the incident when it is sent, so that only the newest is
// ever applied.

struct CreateChannel {
  friend bool operator==(const CreateChannel&, const CreateChannel&) = default;
};
struct SetPurpose {
  friend bool operator==(const SetPurpose&, const SetPurpose&) = default;
};
struct SetTopic {
  friend bool operator==(const SetTopic&, const SetTopic&) = default;
};
/// Post the summary, or edit it in place once posted.
struct PutSummary {
  friend bool operator==(const PutSummary&, const PutSummary&) = default;
};
struct PinSummary {
  friend bool operator==(const PinSummary&, const PinSummary&) = default;
};
struct AddBookmark {
  std::string title;
  std::string link;
  friend bool operator==(const AddBookmark&, const AddBookmark&) = default;
};
struct Invite {
  std::vector<std::string> who;  ///< "jane@example.com", "@usergroup", or a Slack id.
  friend bool operator==(const Invite&, const Invite&) = default;
};
/// Say something in the channel. Plain text; the receiver escapes it.
struct Post {
  std::string text;
  friend bool operator==(const Post&, const Post&) = default;
};
/// The ten-minute reminder: drafted when sent, dropped when the incident is no longer open.
struct PostReminder {
  friend bool operator==(const PostReminder&, const PostReminder&) = default;
};
struct ArchiveChannel {
  friend bool operator==(const ArchiveChannel&, const ArchiveChannel&) = default;
};

struct TriggerPage {
  std::string service;
  std::string key;
  bool escalation{
      false};  ///< Sent only if the incident is still open (not acknowledged) when its turn comes.
  friend bool operator==(const TriggerPage&, const TriggerPage&) = default;
};
/// Tell a page that was accepted without the channel's link again, under its own key, now that the
/// channel is there. PagerDuty adds it to the open alert and wakes nobody anew; only while the page
/// is open, for afterwards it would open another.
struct UpdatePage {
  std::string service;
  std::string key;
  friend bool operator==(const UpdatePage&, const UpdatePage&) = default;
};
struct AcknowledgePage {
  std::string service;
  std::string key;
  friend bool operator==(const AcknowledgePage&, const AcknowledgePage&) = default;
};
struct ResolvePage {
  std::string service;
  std::string key;
  friend bool operator==(const ResolvePage&, const ResolvePage&) = default;
};

using Effect = std::variant<CreateChannel, SetPurpose, SetTopic, PutSummary, PinSummary,
                            AddBookmark, Invite, Post, PostReminder, ArchiveChannel, TriggerPage,
                            UpdatePage, AcknowledgePage, ResolvePage>;

/// The effect's name in the store, the API and the logs: "create_channel", "trigger_page"…
std::string_view effect_name(const Effect& effect);
/// Whether only the newest of its kind in a lane matters (purpose, topic, summary, reminder).
bool is_replaceable(const Effect& effect);
/// Whether its refusal must not hold up the rest of the lane (pin, bookmark, invite, a page's
/// update).
bool is_best_effort(const Effect& effect);

/// A lane's receiver: "slack", or "pagerduty/SERVICE".
using ReceiverId = Strong<struct ReceiverIdTag, std::string>;
ReceiverId slack_receiver();
ReceiverId pagerduty_receiver(std::string_view service);
/// Which receiver an effect is for.
ReceiverId receiver_of(const Effect& effect);

/// Where an entry of the outbox stands. Delivered, skipped and annihilated entries leave the
/// outbox.
enum class EntryState {
  queued,     ///< Waits for its turn, or for not_before.
  in_flight,  ///< An attempt was begun; after a crash it is ambiguous whether it arrived.
  dead,       ///< Refused for good. Visible, revivable.
};
std::string_view to_string(EntryState state);
std::optional<EntryState> parse_entry_state(std::string_view text);

using EntryId = Strong<struct EntryIdTag, std::uint64_t>;

/// An effect that is committed and not yet settled. A lane is all entries of one (incident,
/// receiver), in id order.
struct OutboxEntry {
  EntryId id{};  ///< Rises with the order of commit.
  IncidentId incident{};
  ReceiverId receiver{};
  Effect effect{};
  EntryState state{EntryState::queued};
  int attempts{0};
  bool ambiguous{
      false};  ///< An earlier attempt may have been carried out although we saw no answer.
  WallTime created{};
  std::optional<WallTime> first_attempt{};
  std::optional<SteadyTime> not_before{};
  std::string last_error{};
  friend bool operator==(const OutboxEntry&, const OutboxEntry&) = default;
};

}  // namespace tocsin
