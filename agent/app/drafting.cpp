#include "agent/app/drafting.hpp"

#include "agent/policy/wording.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::app {

namespace {

/// What the incident knows of the routing key that a page was accepted under.
std::string sent_under(const Incident& incident, const std::string& key) {
  for (const auto& page : incident.pages)
    if (page.key == key) return page.routing_key_digest;
  return {};
}

/// Of a TriggerPage, or of the UpdatePage that follows it.
template <class Page>
DraftTrigger draft_trigger(const Page& page, const Incident& incident, WallTime now) {
  auto text = policy::page_text(incident, page.key, now);
  return {.service = page.service,
          .key = page.key,
          .routing_key_digest = sent_under(incident, page.key),
          .summary = std::move(text.summary),
          .source = std::move(text.source),
          .severity = std::move(text.severity),
          .component = std::move(text.component),
          .group = std::move(text.group),
          .event_class = std::move(text.event_class),
          .at = incident.opened_at,
          .details = std::move(text.details),
          .evidence = std::move(text.evidence),
          .members = std::move(text.members),
          .links = std::move(text.links)};
}

DraftPutSummary draft_summary(const Incident& incident, WallTime now) {
  auto text = policy::summary_text(incident, now);
  return {std::move(text.headline), std::move(text.fields), std::move(text.evidence),
          std::move(text.footer)};
}

}  // namespace

DraftBody draft(const Effect& effect, const Incident& incident, WallTime now) {
  return std::visit(
      overloaded{
          [&](const CreateChannel&) -> DraftBody {
            return DraftCreateChannel{incident.channel.name, policy::channel_marker(incident.id),
                                      policy::channel_purpose(incident)};
          },
          [&](const SetPurpose&) -> DraftBody {
            return DraftSetPurpose{policy::channel_purpose(incident)};
          },
          [&](const SetTopic&) -> DraftBody {
            return DraftSetTopic{policy::channel_topic(incident)};
          },
          [&](const PutSummary&) -> DraftBody { return draft_summary(incident, now); },
          [&](const PinSummary&) -> DraftBody { return DraftPin{}; },
          [&](const AddBookmark& bookmark) -> DraftBody {
            return DraftBookmark{bookmark.title, bookmark.link};
          },
          [&](const Invite& invite) -> DraftBody { return DraftInvite{invite.who}; },
          [&](const Post& post) -> DraftBody { return DraftPost{post.text}; },
          [&](const PostReminder&) -> DraftBody {
            return DraftPost{policy::reminder_text(incident, now)};
          },
          [&](const ArchiveChannel&) -> DraftBody { return DraftArchive{}; },
          [&](const TriggerPage& page) -> DraftBody { return draft_trigger(page, incident, now); },
          [&](const UpdatePage& page) -> DraftBody { return draft_trigger(page, incident, now); },
          [&](const AcknowledgePage& page) -> DraftBody {
            return DraftAcknowledge{page.service, page.key, sent_under(incident, page.key)};
          },
          [&](const ResolvePage& page) -> DraftBody {
            return DraftResolve{page.service, page.key, sent_under(incident, page.key)};
          },
      },
      effect);
}

}  // namespace tocsin::app
