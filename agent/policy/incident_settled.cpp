#include "agent/policy/incident_turn.hpp"
#include "agent/policy/phrases.hpp"
#include "tocsin/base/overloaded.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::policy {
namespace {

using Outcome = Settled::Outcome;

constexpr std::size_t detail_characters = 500;

std::string detail_of(const Settled& settled) {
  auto detail = one_line(settled.detail, detail_characters);
  return detail.empty() ? "no reason was given" : detail;
}

/// Everything of the opening that comes after the channel's creation: for a channel that came to be
/// after all.
void furnish(Turn& turn) {
  turn.want(SetPurpose{});
  turn.want(SetTopic{});
  turn.want(PutSummary{});
  turn.want(PinSummary{});
  add_bookmarks(turn);
  if (!turn.policy.invite.empty()) turn.want(Invite{turn.policy.invite});
}

/// PagerDuty has it, without a word of the channel that is there by now.
bool lacks_channel(const Page& page) {
  return !page.has_channel &&
         (page.state == PageState::triggered || page.state == PageState::acknowledged);
}

void channel_created(Turn& turn, const Settled& settled) {
  auto& channel = turn.incident().channel;
  const bool given_up = channel.receiver != slack_receiver().value;
  const auto wished = channel.name;
  channel.receiver = slack_receiver().value;
  channel.id = settled.channel_id;
  channel.url = settled.channel_url;
  channel.thread = settled.thread;
  channel.ready = true;
  if (!settled.channel_name.empty()) channel.name = one_line(settled.channel_name, 80);
  if (!channel.thread.empty()) {
    turn.line(TimelineKind::channel, "The issue channel is a thread in #" + channel.name +
                                         ": channels may not be created.");
  } else if (channel.name != wished) {
    turn.line(TimelineKind::channel,
              "The issue channel is #" + channel.name + " (#" + wished + " was taken).");
  } else {
    turn.line(TimelineKind::channel, "The issue channel is #" + channel.name + ".");
  }
  for (const auto& page : turn.incident().pages) {
    if (lacks_channel(page)) turn.want(UpdatePage{page.service, page.key});
  }
  // Its later steps were dropped when creation was refused; somebody revived it since.
  if (given_up && turn.policy.slack) furnish(turn);
}

/// Slack will not have the channel: people meet in the local room.
void fall_back_to_local(Turn& turn, const Settled& settled) {
  auto& incident = turn.incident();
  if (incident.channel.ready) return;
  incident.channel.receiver = "local";
  incident.channel.id = incident.id.value;
  incident.channel.ready = true;
  turn.line(TimelineKind::channel, "Slack made no channel (" + detail_of(settled) +
                                       "): the local room #" + incident.channel.name +
                                       " is the issue channel: " + command(incident, "show"));
}

void create_settled(Turn& turn, const Settled& settled) {
  switch (settled.outcome) {
    case Outcome::delivered:
      channel_created(turn, settled);
      break;
    case Outcome::rejected:
      fall_back_to_local(turn, settled);
      break;
    case Outcome::halted:
      turn.line(TimelineKind::delivery,
                "The channel waits, Slack refuses our credentials: " + detail_of(settled));
      break;
    case Outcome::suppressed:
    case Outcome::skipped:
      break;
  }
}

void trigger_delivered(Turn& turn, const Settled& settled, const TriggerPage& page) {
  auto& incident = turn.incident();
  auto* known = find_page(incident, page.key);
  turn.line(TimelineKind::paged, "Paged " + page.service + ".");
  if (known == nullptr) return;
  // Revived after a refusal and accepted too late: nobody else would ever resolve it.
  const bool too_late =
      (known->state == PageState::rejected || known->state == PageState::suppressed) &&
      !is_live(incident.state);
  known->state = PageState::triggered;
  known->has_channel = settled.had_channel;
  known->routing_key_digest = settled.routing_key_digest;
  if (too_late) {
    turn.want(ResolvePage{page.service, page.key});
  } else if (lacks_channel(*known) && turn.in_slack() && incident.channel.ready) {
    // It came while the page was on its way.
    turn.want(UpdatePage{page.service, page.key});
  }
}

void trigger_settled(Turn& turn, const Settled& settled, const TriggerPage& page) {
  auto* known = find_page(turn.incident(), page.key);
  switch (settled.outcome) {
    case Outcome::delivered:
      trigger_delivered(turn, settled, page);
      break;
    case Outcome::rejected:
      if (known) known->state = PageState::rejected;
      turn.tell(TimelineKind::paged, "Nobody was paged at " + page.service +
                                         ": PagerDuty refused the page (" + detail_of(settled) +
                                         "). Call somebody; then see: tocsin queue list");
      break;
    case Outcome::halted:
      turn.tell(TimelineKind::paged, "Nobody is paged at " + page.service +
                                         " yet: " + detail_of(settled) +
                                         ". The page is kept and sent once that is mended.");
      break;
    case Outcome::suppressed:
      if (known) known->state = PageState::suppressed;
      turn.tell(TimelineKind::delivery, "It recovered before the page to " + page.service +
                                            " was sent: nobody was paged there.");
      break;
    case Outcome::skipped:
      if (known) known->state = PageState::suppressed;
      turn.line(TimelineKind::delivery,
                "The page to " + page.service + " was not sent: it was no longer needed.");
      break;
  }
}

void update_settled(Turn& turn, const Settled& settled, const UpdatePage& page) {
  switch (settled.outcome) {
    case Outcome::delivered:
      if (auto* known = find_page(turn.incident(), page.key)) known->has_channel = true;
      turn.line(TimelineKind::paged, "The page at " + page.service + " links the channel now.");
      break;
    case Outcome::rejected:
      turn.line(TimelineKind::delivery,
                "PagerDuty did not take the channel's link for the page: " + detail_of(settled));
      break;
    case Outcome::halted:
    case Outcome::suppressed:
    case Outcome::skipped:
      break;
  }
}

void follow_up_settled(Turn& turn, const Settled& settled, const std::string& key,
                       PageState reached) {
  auto* known = find_page(turn.incident(), key);
  const bool resolved = reached == PageState::resolved;
  switch (settled.outcome) {
    case Outcome::delivered:
      if (known != nullptr && known->state != PageState::suppressed) known->state = reached;
      if (resolved) turn.line(TimelineKind::paged, "The page is resolved.");
      break;
    case Outcome::rejected:
      turn.tell(TimelineKind::delivery, std::string{"PagerDuty refused to "} +
                                            (resolved ? "resolve" : "acknowledge") + " the page (" +
                                            detail_of(settled) + "): do it there by hand.");
      break;
    case Outcome::halted:
      turn.line(TimelineKind::delivery, "PagerDuty refuses our credentials: " + detail_of(settled));
      break;
    case Outcome::suppressed:
    case Outcome::skipped:
      break;
  }
}

/// The steps that furnish a channel: what fails is written down, and the rest goes on.
void channel_step_settled(Turn& turn, const Settled& settled) {
  const std::string step{effect_name(settled.effect)};
  switch (settled.outcome) {
    case Outcome::rejected:
      turn.line(TimelineKind::delivery, "Slack refused " + step + ": " + detail_of(settled));
      break;
    case Outcome::halted:
      turn.line(TimelineKind::delivery,
                "Slack refuses our credentials, " + step + " waits: " + detail_of(settled));
      break;
    case Outcome::delivered:
    case Outcome::suppressed:
    case Outcome::skipped:
      break;
  }
}

void summary_settled(Turn& turn, const Settled& settled) {
  if (settled.outcome == Outcome::delivered && !settled.message.empty()) {
    turn.incident().channel.summary_message = settled.message;
  }
  channel_step_settled(turn, settled);
}

void archive_settled(Turn& turn, const Settled& settled) {
  if (settled.outcome == Outcome::rejected) {
    turn.line(TimelineKind::delivery, "Slack would not archive the channel (" + detail_of(settled) +
                                          "): archive it by hand.");
    return;
  }
  channel_step_settled(turn, settled);
}

}  // namespace

Step on(Turn turn, const Settled& input) {
  const auto step = [&](const auto&) { channel_step_settled(turn, input); };
  std::visit(overloaded{
                 [&](const CreateChannel&) { create_settled(turn, input); },
                 [&](const PutSummary&) { summary_settled(turn, input); },
                 [&](const ArchiveChannel&) { archive_settled(turn, input); },
                 [&](const TriggerPage& page) { trigger_settled(turn, input, page); },
                 [&](const UpdatePage& page) { update_settled(turn, input, page); },
                 [&](const AcknowledgePage& page) {
                   follow_up_settled(turn, input, page.key, PageState::acknowledged);
                 },
                 [&](const ResolvePage& page) {
                   follow_up_settled(turn, input, page.key, PageState::resolved);
                 },
                 [&](const SetPurpose& effect) { step(effect); },
                 [&](const SetTopic& effect) { step(effect); },
                 [&](const PinSummary& effect) { step(effect); },
                 [&](const AddBookmark& effect) { step(effect); },
                 [&](const Invite& effect) { step(effect); },
                 [&](const Post& effect) { step(effect); },
                 [&](const PostReminder& effect) { step(effect); },
             },
             input.effect);
  for (const auto& note : input.notes) {
    turn.line(TimelineKind::delivery, one_line(note, detail_characters));
  }
  return std::move(turn).take();
}

}  // namespace tocsin::policy
