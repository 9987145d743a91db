#include "tocsin/model/effect.hpp"

#include "tocsin/base/overloaded.hpp"
#include "vocabulary/model/words.hpp"

namespace tocsin {
namespace {

constexpr Words<EntryState, 3> words{{{
    {EntryState::queued, "queued"},
    {EntryState::in_flight, "in_flight"},
    {EntryState::dead, "dead"},
}}};

/// What is known of an effect by its kind alone.
struct Traits {
  std::string_view name;
  bool replaceable{false};
  bool best_effort{false};
};

Traits traits(const Effect& effect) {
  return std::visit(
      overloaded{
          [](const CreateChannel&) { return Traits{"create_channel"}; },
          [](const SetPurpose&) { return Traits{.name = "set_purpose", .replaceable = true}; },
          [](const SetTopic&) { return Traits{.name = "set_topic", .replaceable = true}; },
          [](const PutSummary&) { return Traits{.name = "put_summary", .replaceable = true}; },
          [](const PinSummary&) { return Traits{.name = "pin_summary", .best_effort = true}; },
          [](const AddBookmark&) { return Traits{.name = "add_bookmark", .best_effort = true}; },
          [](const Invite&) { return Traits{.name = "invite", .best_effort = true}; },
          [](const Post&) { return Traits{"post"}; },
          [](const PostReminder&) { return Traits{.name = "post_reminder", .replaceable = true}; },
          [](const ArchiveChannel&) { return Traits{"archive_channel"}; },
          [](const TriggerPage&) { return Traits{"trigger_page"}; },
          [](const UpdatePage&) { return Traits{.name = "update_page", .best_effort = true}; },
          [](const AcknowledgePage&) { return Traits{"acknowledge_page"}; },
          [](const ResolvePage&) { return Traits{"resolve_page"}; },
      },
      effect);
}

}  // namespace

std::string_view to_string(EntryState state) { return words.name(state); }
std::optional<EntryState> parse_entry_state(std::string_view text) { return words.value(text); }

std::string_view effect_name(const Effect& effect) { return traits(effect).name; }
bool is_replaceable(const Effect& effect) { return traits(effect).replaceable; }
bool is_best_effort(const Effect& effect) { return traits(effect).best_effort; }

ReceiverId slack_receiver() { return ReceiverId{"slack"}; }
ReceiverId pagerduty_receiver(std::string_view service) {
  return ReceiverId{"pagerduty/" + std::string{service}};
}

ReceiverId receiver_of(const Effect& effect) {
  return std::visit(
      overloaded{
          [](const TriggerPage& page) { return pagerduty_receiver(page.service); },
          [](const UpdatePage& page) { return pagerduty_receiver(page.service); },
          [](const AcknowledgePage& page) { return pagerduty_receiver(page.service); },
          [](const ResolvePage& page) { return pagerduty_receiver(page.service); },
          [](const CreateChannel&) { return slack_receiver(); },
          [](const SetPurpose&) { return slack_receiver(); },
          [](const SetTopic&) { return slack_receiver(); },
          [](const PutSummary&) { return slack_receiver(); },
          [](const PinSummary&) { return slack_receiver(); },
          [](const AddBookmark&) { return slack_receiver(); },
          [](const Invite&) { return slack_receiver(); },
          [](const Post&) { return slack_receiver(); },
          [](const PostReminder&) { return slack_receiver(); },
          [](const ArchiveChannel&) { return slack_receiver(); },
      },
      effect);
}

}  // namespace tocsin
