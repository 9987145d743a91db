#pragma once

#include <tuple>

#include "tocsin/model/alert.hpp"
#include "tocsin/model/effect.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::json {

/// One member and the key it is stored under. Keys never change: stores outlive programs.
template <class T, class M>
struct Item {
  const char* key;
  M T::*member;
};
template <class T, class M>
constexpr Item<T, M> item(const char* key, M T::*member) {
  return {key, member};
}

/// The members of a struct, written and read by the same list.
template <class T>
struct Members;

template <class T>
concept Listed = requires {
  Members<T>::list();
};

template <class T>
struct NoMembers {
  static constexpr auto list() { return std::tuple{}; }
};

template <>
struct Members<RuleProgress> {
  static constexpr auto list() {
    return std::tuple{item("since", &RuleProgress::since), item("ring", &RuleProgress::ring)};
  }
};

template <>
struct Members<Alert> {
  static constexpr auto list() {
    return std::tuple{item("check", &Alert::check),
                      item("phase", &Alert::phase),
                      item("severity", &Alert::severity),
                      item("why", &Alert::why),
                      item("since", &Alert::since),
                      item("critical", &Alert::critical),
                      item("warning", &Alert::warning),
                      item("unknown_since", &Alert::unknown_since),
                      item("recovering_since", &Alert::recovering_since),
                      item("clear", &Alert::clear),
                      item("flap_ring", &Alert::flap_ring),
                      item("flapping", &Alert::flapping),
                      item("last_seen", &Alert::last_seen)};
  }
};

template <>
struct Members<Evidence> {
  static constexpr auto list() {
    return std::tuple{item("lines", &Evidence::lines),
                      item("probable_cause", &Evidence::probable_cause),
                      item("recovery_estimate", &Evidence::recovery_estimate)};
  }
};

template <>
struct Members<Member> {
  static constexpr auto list() {
    return std::tuple{item("check", &Member::check),       item("type", &Member::type),
                      item("severity", &Member::severity), item("firing", &Member::firing),
                      item("why", &Member::why),           item("since", &Member::since),
                      item("host", &Member::host),         item("evidence", &Member::evidence),
                      item("flapping", &Member::flapping)};
  }
};

template <>
struct Members<Channel> {
  static constexpr auto list() {
    return std::tuple{item("receiver", &Channel::receiver),
                      item("name", &Channel::name),
                      item("id", &Channel::id),
                      item("url", &Channel::url),
                      item("thread", &Channel::thread),
                      item("summary_message", &Channel::summary_message),
                      item("ready", &Channel::ready)};
  }
};

template <>
struct Members<Page> {
  static constexpr auto list() {
    return std::tuple{item("service", &Page::service), item("key", &Page::key),
                      item("state", &Page::state), item("has_channel", &Page::has_channel),
                      item("routing_key_digest", &Page::routing_key_digest)};
  }
};

template <>
struct Members<EscalationStep> {
  static constexpr auto list() {
    return std::tuple{item("after", &EscalationStep::after), item("page", &EscalationStep::page),
                      item("invite", &EscalationStep::invite)};
  }
};

template <>
struct Members<Owners> {
  static constexpr auto list() {
    return std::tuple{item("sre", &Owners::sre), item("developer", &Owners::developer)};
  }
};

template <>
struct Members<SummaryValue> {
  static constexpr auto list() {
    return std::tuple{item("value", &SummaryValue::value), item("by", &SummaryValue::by)};
  }
};

template <>
struct Members<Incident> {
  static constexpr auto what() {
    return std::tuple{item("id", &Incident::id),
                      item("key", &Incident::key),
                      item("environment", &Incident::environment),
                      item("host", &Incident::host),
                      item("topic", &Incident::topic),
                      item("state", &Incident::state),
                      item("before_mitigated", &Incident::before_mitigated),
                      item("severity", &Incident::severity),
                      item("severity_paged", &Incident::severity_paged),
                      item("title", &Incident::title),
                      item("generation", &Incident::generation),
                      item("pages_again", &Incident::pages_again),
                      item("members_paged", &Incident::members_paged),
                      item("drill", &Incident::drill),
                      item("members", &Incident::members),
                      item("owners", &Incident::owners),
                      item("runbook", &Incident::runbook),
                      item("dashboard", &Incident::dashboard),
                      item("summary", &Incident::summary),
                      item("channel", &Incident::channel),
                      item("pages", &Incident::pages),
                      item("escalation", &Incident::escalation),
                      item("escalation_next", &Incident::escalation_next),
                      item("previous_id", &Incident::previous_id),
                      item("previous_channel", &Incident::previous_channel),
                      item("recent_count", &Incident::recent_count)};
  }
  static constexpr auto when() {
    return std::tuple{item("opened_at", &Incident::opened_at),
                      item("acknowledged_at", &Incident::acknowledged_at),
                      item("acknowledged_by", &Incident::acknowledged_by),
                      item("mitigated_at", &Incident::mitigated_at),
                      item("resolved_at", &Incident::resolved_at),
                      item("resolved_why", &Incident::resolved_why),
                      item("closed_at", &Incident::closed_at),
                      item("root_cause", &Incident::root_cause),
                      item("fix", &Incident::fix),
                      item("waived_why", &Incident::waived_why),
                      item("closed_by", &Incident::closed_by),
                      item("archived_at", &Incident::archived_at),
                      item("pending_until", &Incident::pending_until),
                      item("escalate_from", &Incident::escalate_from),
                      item("remind_at", &Incident::remind_at),
                      item("ack_expires_at", &Incident::ack_expires_at),
                      item("resolve_at", &Incident::resolve_at),
                      item("reopen_until", &Incident::reopen_until),
                      item("archive_at", &Incident::archive_at),
                      item("page_again_not_before", &Incident::page_again_not_before)};
  }
  static constexpr auto list() { return std::tuple_cat(what(), when()); }
};

template <>
struct Members<CheckMemory> {
  static constexpr auto list() {
    return std::tuple{item("check", &CheckMemory::check), item("text", &CheckMemory::text)};
  }
};

template <>
struct Members<TimelineLine> {
  static constexpr auto list() {
    return std::tuple{
        item("incident", &TimelineLine::incident), item("at", &TimelineLine::at),
        item("kind", &TimelineLine::kind),         item("by", &TimelineLine::by),
        item("text", &TimelineLine::text),         item("sequence", &TimelineLine::sequence)};
  }
};

template <>
struct Members<OutboxEntry> {
  static constexpr auto list() {
    return std::tuple{item("id", &OutboxEntry::id),
                      item("incident", &OutboxEntry::incident),
                      item("receiver", &OutboxEntry::receiver),
                      item("effect", &OutboxEntry::effect),
                      item("state", &OutboxEntry::state),
                      item("attempts", &OutboxEntry::attempts),
                      item("ambiguous", &OutboxEntry::ambiguous),
                      item("created", &OutboxEntry::created),
                      item("first_attempt", &OutboxEntry::first_attempt),
                      item("not_before", &OutboxEntry::not_before),
                      item("last_error", &OutboxEntry::last_error)};
  }
};

template <>
struct Members<CreateChannel> : NoMembers<CreateChannel> {};
template <>
struct Members<SetPurpose> : NoMembers<SetPurpose> {};
template <>
struct Members<SetTopic> : NoMembers<SetTopic> {};
template <>
struct Members<PutSummary> : NoMembers<PutSummary> {};
template <>
struct Members<PinSummary> : NoMembers<PinSummary> {};
template <>
struct Members<PostReminder> : NoMembers<PostReminder> {};
template <>
struct Members<ArchiveChannel> : NoMembers<ArchiveChannel> {};
template <>
struct Members<AddBookmark> {
  static constexpr auto list() {
    return std::tuple{item("title", &AddBookmark::title), item("link", &AddBookmark::link)};
  }
};
template <>
struct Members<Invite> {
  static constexpr auto list() { return std::tuple{item("who", &Invite::who)}; }
};
template <>
struct Members<Post> {
  static constexpr auto list() { return std::tuple{item("text", &Post::text)}; }
};
template <>
struct Members<TriggerPage> {
  static constexpr auto list() {
    return std::tuple{item("service", &TriggerPage::service), item("key", &TriggerPage::key),
                      item("escalation", &TriggerPage::escalation)};
  }
};
template <>
struct Members<UpdatePage> {
  static constexpr auto list() {
    return std::tuple{item("service", &UpdatePage::service), item("key", &UpdatePage::key)};
  }
};
template <>
struct Members<AcknowledgePage> {
  static constexpr auto list() {
    return std::tuple{item("service", &AcknowledgePage::service),
                      item("key", &AcknowledgePage::key)};
  }
};
template <>
struct Members<ResolvePage> {
  static constexpr auto list() {
    return std::tuple{item("service", &ResolvePage::service), item("key", &ResolvePage::key)};
  }
};

}  // namespace tocsin::json
