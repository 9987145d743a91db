#include "agent/policy/lanes.hpp"

#include <algorithm>
#include <cctype>

#include "tocsin/base/overloaded.hpp"

namespace tocsin::policy {
namespace {

using Why = LanePlan::Drop::Why;

const std::string* page_key(const Effect& effect) {
  if (const auto* page = std::get_if<TriggerPage>(&effect)) return &page->key;
  if (const auto* page = std::get_if<UpdatePage>(&effect)) return &page->key;
  if (const auto* page = std::get_if<AcknowledgePage>(&effect)) return &page->key;
  if (const auto* page = std::get_if<ResolvePage>(&effect)) return &page->key;
  return nullptr;
}

bool is_trigger(const Effect& effect) { return std::holds_alternative<TriggerPage>(effect); }
bool is_resolve(const Effect& effect) { return std::holds_alternative<ResolvePage>(effect); }
bool is_create(const Effect& effect) { return std::holds_alternative<CreateChannel>(effect); }

/// An attempt that our own rate limit held back does not count as one.
bool never_attempted(const OutboxEntry& entry) { return entry.attempts == 0 && !entry.ambiguous; }

/// A key of the incident's own first page ends in its generation: ".../g2".
bool is_first_page(const std::string& key) {
  const auto last = key.substr(key.rfind('/') + 1);
  return last.size() > 1 && last[0] == 'g' && std::all_of(last.begin() + 1, last.end(), [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

/// One lane, looked at once.
class Planner {
 public:
  Planner(const LaneView& lane, Now now) : lane_{lane}, now_{now} {}

  LanePlan take() && {
    for (std::size_t i = 0; i < lane_.entries.size(); ++i) {
      if (const auto why = reason_to_drop(i)) plan_.drops.push_back({at(i).id, *why});
    }
    choose();
    return std::move(plan_);
  }

 private:
  const OutboxEntry& at(std::size_t i) const { return *lane_.entries[i]; }

  bool dropped(const OutboxEntry& entry) const {
    return std::any_of(plan_.drops.begin(), plan_.drops.end(),
                       [&](const auto& drop) { return drop.id == entry.id; });
  }

  std::optional<Why> reason_to_drop(std::size_t i) const {
    if (at(i).state != EntryState::queued) return std::nullopt;
    if (annihilates(i)) return Why::annihilated;
    if (pointless(i)) return Why::pointless;
    if (superseded(i)) return Why::superseded;
    return std::nullopt;
  }

  /// A trigger that was never attempted, its resolve, and the acknowledgement between them.
  bool annihilates(std::size_t i) const {
    const auto* key = page_key(at(i).effect);
    if (key == nullptr) return false;
    bool trigger = false;
    bool resolve = false;
    for (const auto* entry : lane_.entries) {
      const auto* other = page_key(entry->effect);
      if (other == nullptr || *other != *key || entry->state == EntryState::dead) continue;
      if (is_trigger(entry->effect)) {
        if (entry->state != EntryState::queued || !never_attempted(*entry)) return false;
        trigger = true;
      }
      if (is_resolve(entry->effect) && trigger) resolve = entry->state == EntryState::queued;
    }
    return trigger && resolve;
  }

  template <class Test>
  bool any_after(std::size_t i, Test test) const {
    return std::any_of(lane_.entries.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                       lane_.entries.end(), [&](const auto* entry) { return test(*entry); });
  }

  bool resolve_follows(std::size_t i, const std::string& key) const {
    return any_after(i, [&](const OutboxEntry& entry) {
      const auto* resolve = std::get_if<ResolvePage>(&entry.effect);
      return resolve != nullptr && resolve->key == key && entry.state != EntryState::dead;
    });
  }

  const Page* page(const std::string& key) const {
    for (const auto& known : lane_.incident.pages) {
      if (known.key == key) return &known;
    }
    return nullptr;
  }

  bool is_acknowledged() const {
    const auto& incident = lane_.incident;
    return incident.state == IncidentState::acknowledged ||
           (incident.state == IncidentState::mitigated &&
            incident.before_mitigated == IncidentState::acknowledged);
  }

  bool pointless_trigger(std::size_t i, const TriggerPage& trigger) const {
    if (resolve_follows(i, trigger.key)) return false;
    // Revived, or left over: nothing would resolve it any more. One that may have arrived is sent
    // again all the same, and resolved once it was accepted.
    if (page(trigger.key) == nullptr) return true;
    if (!is_live(lane_.incident.state)) return !at(i).ambiguous;
    return trigger.escalation && !at(i).ambiguous && lane_.incident.state != IncidentState::open;
  }

  /// After the page's end it would open another; so would one that waits behind its resolve.
  bool pointless_update(std::size_t i, const UpdatePage& update) const {
    const auto* known = page(update.key);
    const bool is_open = known != nullptr && (known->state == PageState::triggered ||
                                              known->state == PageState::acknowledged);
    return !is_open || !is_live(lane_.incident.state) || resolve_follows(i, update.key);
  }

  /// Its trigger never reached anybody, and will not: refused, or dropped just now.
  bool trigger_refused(std::size_t i, const std::string& key) const {
    const auto* known = page(key);
    if (known != nullptr &&
        (known->state == PageState::rejected || known->state == PageState::suppressed)) {
      return true;
    }
    return std::any_of(lane_.entries.begin(),
                       lane_.entries.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const auto* entry) {
                         const auto* trigger = std::get_if<TriggerPage>(&entry->effect);
                         return trigger != nullptr && trigger->key == key &&
                                (entry->state == EntryState::dead || dropped(*entry));
                       });
  }

  bool pointless_reminder() const {
    return lane_.incident.state != IncidentState::open &&
           lane_.incident.state != IncidentState::acknowledged;
  }

  /// In the fallback channel's thread there is nothing of ours to name, pin, bookmark, fill with
  /// people or archive.
  bool in_thread() const { return !lane_.incident.channel.thread.empty(); }

  /// There is no channel in Slack, and none is being made.
  bool no_channel(std::size_t i) const {
    const auto& channel = lane_.incident.channel;
    if (channel.ready) return channel.receiver != slack_receiver().value;
    return std::none_of(lane_.entries.begin(),
                        lane_.entries.begin() + static_cast<std::ptrdiff_t>(i),
                        [](const auto* entry) {
                          return is_create(entry->effect) && entry->state != EntryState::dead;
                        });
  }

  bool pointless(std::size_t i) const {
    return std::visit(
        overloaded{
            [](const CreateChannel&) { return false; },
            [&](const SetPurpose&) { return in_thread() || no_channel(i); },
            [&](const SetTopic&) { return in_thread() || no_channel(i); },
            [&](const PutSummary&) { return no_channel(i); },
            [&](const PinSummary&) { return in_thread() || no_channel(i); },
            [&](const AddBookmark&) { return in_thread() || no_channel(i); },
            [&](const Invite&) { return in_thread() || no_channel(i); },
            [&](const Post&) { return no_channel(i); },
            [&](const PostReminder&) { return pointless_reminder() || no_channel(i); },
            [&](const ArchiveChannel&) { return in_thread() || no_channel(i); },
            [&](const TriggerPage& trigger) { return pointless_trigger(i, trigger); },
            [&](const UpdatePage& update) { return pointless_update(i, update); },
            [&](const AcknowledgePage& acknowledge) {
              return trigger_refused(i, acknowledge.key) || resolve_follows(i, acknowledge.key) ||
                     !is_acknowledged();
            },
            [&](const ResolvePage& resolve) { return trigger_refused(i, resolve.key); },
        },
        at(i).effect);
  }

  /// An earlier one waits that will be drafted from the incident as it is then, so the later adds
  /// nothing; and keeping the earlier keeps the order of the opening. Not so when the earlier may
  /// have arrived already with an older text.
  bool superseded(std::size_t i) const {
    const auto& entry = at(i);
    if (!is_replaceable(entry.effect)) return false;
    return std::any_of(
        lane_.entries.begin(), lane_.entries.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const auto* earlier) {
          return earlier->effect.index() == entry.effect.index() &&
                 earlier->state == EntryState::queued && !earlier->ambiguous && !dropped(*earlier);
        });
  }

  bool is_time(const OutboxEntry& entry) const {
    if (!entry.not_before || *entry.not_before <= now_.steady) return true;
    // A first page waits for the channel's link; not for one that is there, nor for one that will
    // not come. Once claimed, what it waits for is the receiver's pace: asking again at once would
    // go round in circles.
    const auto* trigger = std::get_if<TriggerPage>(&entry.effect);
    return trigger != nullptr && never_attempted(entry) && !entry.first_attempt &&
           (lane_.incident.channel.ready || !lane_.channel_expected);
  }

  void wake_at(SteadyTime at) { plan_.wake_at = plan_.wake_at ? std::min(*plan_.wake_at, at) : at; }

  /// Strictly the first that is left, except that what is best-effort and backs off lets the others
  /// pass.
  void choose() {
    // Also one that overtook: what backed off before it waits for it now.
    if (std::any_of(lane_.entries.begin(), lane_.entries.end(),
                    [](const auto* entry) { return entry->state == EntryState::in_flight; }))
      return;
    bool overtaking = false;
    for (const auto* entry : lane_.entries) {
      if (entry->state == EntryState::dead || dropped(*entry)) continue;
      if (lane_.receiver_halted && hold_back()) return;
      const bool may_overtake = !std::holds_alternative<ArchiveChannel>(entry->effect);
      if (overtaking && !may_overtake) return;
      if (is_time(*entry)) {
        plan_.attempt = entry->id;
        plan_.wake_at.reset();
        return;
      }
      wake_at(*entry->not_before);
      if (!is_best_effort(entry->effect)) return;
      overtaking = true;
    }
  }

  bool hold_back() {
    if (!lane_.halted_until) return true;
    if (*lane_.halted_until <= now_.steady) return false;
    plan_.wake_at = lane_.halted_until;
    return true;
  }

  const LaneView& lane_;
  const Now now_;
  LanePlan plan_{};
};

}  // namespace

LanePlan plan_lane(const LaneView& lane, Now now) { return Planner{lane, now}.take(); }

int priority(const OutboxEntry& entry) {
  constexpr int first_page = 0, page = 1, follow_up = 2, create = 3, summary = 4, rest = 5;
  return std::visit(overloaded{
                        [](const TriggerPage& trigger) {
                          return !trigger.escalation && is_first_page(trigger.key) ? first_page
                                                                                   : page;
                        },
                        [](const UpdatePage&) { return follow_up; },
                        [](const AcknowledgePage&) { return follow_up; },
                        [](const ResolvePage&) { return follow_up; },
                        [](const CreateChannel&) { return create; },
                        [](const PutSummary&) { return summary; },
                        [](const SetPurpose&) { return rest; },
                        [](const SetTopic&) { return rest; },
                        [](const PinSummary&) { return rest; },
                        [](const AddBookmark&) { return rest; },
                        [](const Invite&) { return rest; },
                        [](const Post&) { return rest; },
                        [](const PostReminder&) { return rest; },
                        [](const ArchiveChannel&) { return rest; },
                    },
                    entry.effect);
}

}  // namespace tocsin::policy
