#include "agent/notify/slack_channel.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_blocks.hpp"
#include "agent/notify/slack_names.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

using namespace std::chrono_literals;

constexpr std::string_view list_page = "400";
constexpr std::size_t list_bytes_max = 4u << 20;
constexpr Duration same_name_wait = 500ms;
constexpr Duration identify_wait = 2s;

/// Whether Slack's answer means that this workspace or token will not have us create channels,
/// however often we ask.
bool calls_for_fallback(SlackClass kind) {
  return kind == SlackClass::forbidden || kind == SlackClass::scope || kind == SlackClass::refused;
}

/// Keeps a name reserved while it is being created: two simultaneous creations of one name can both
/// succeed at Slack (node-slack-sdk#1589).
class Reservation {
 public:
  Reservation(std::set<std::string>& names, std::string name)
      : names_{names}, name_{std::move(name)} {
    names_.insert(name_);
  }
  ~Reservation() { names_.erase(name_); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  std::set<std::string>& names_;
  std::string name_;
};

}  // namespace

void SlackChannels::look_at(const json::object& channel, const Draft& draft,
                            const DraftCreateChannel& want, Census& census) const {
  const auto base = take_suffix(want.name).base;
  const Found candidate{text_at(channel, {"id"}), text_at(channel, {"name"}), false,
                        number_at(channel, "created")};
  const bool family = candidate.name == base || take_suffix(candidate.name).base == base;
  if (family) census.taken.insert(candidate.name);
  // An archived channel has thrown us out and cannot be had back.
  if (flag_at(channel, "is_archived") || candidate.id.empty()) return;
  const auto purpose = text_at(channel, {"purpose", "value"});
  const bool marked = has_marker(purpose, want.marker);
  const auto since =
      std::chrono::floor<std::chrono::seconds>(draft.first_attempt) - slack_clock_skew;
  const auto oldest =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  const auto& us = api_.identity();
  const bool born_of_our_attempt = draft.ambiguous && family && us && !us->user_id.empty() &&
                                   text_at(channel, {"creator"}) == us->user_id &&
                                   candidate.created >= oldest &&
                                   !has_other_marker(purpose, want.marker);
  if (!marked && !born_of_our_attempt) return;
  // Should there be two, the first with our marker is the one people may already be in.
  auto& best = census.ours;
  const bool better = !best || (marked && !best->marked) ||
                      (marked == best->marked && std::tie(candidate.created, candidate.id) <
                                                     std::tie(best->created, best->id));
  if (!better) return;
  best = candidate;
  best->marked = marked;
}

asio::awaitable<SlackAnswer> SlackChannels::take_census(Draft draft, DraftCreateChannel want,
                                                        SteadyTime deadline) {
  SlackAnswer answer;
  if (draft.ambiguous) {
    auto asking = api_.identify(deadline);
    answer = co_await std::move(asking);
    if (!answer.ok()) co_return answer;
  }
  for (;;) {
    // Looked up anew each turn: another delivery may have made room meanwhile.
    auto cursor = censuses_[draft.entry].cursor;
    SlackCall call;
    call.method = SlackMethod::conversations_list;
    call.response_bytes_max = list_bytes_max;
    call.form = {{"types", "public_channel"},
                 {"exclude_archived", "false"},
                 {"limit", std::string{list_page}}};
    if (!cursor.empty()) call.form.emplace_back("cursor", cursor);
    auto asking = api_.call(std::move(call), deadline);
    answer = co_await std::move(asking);
    auto& census = censuses_[draft.entry];
    if (!answer.ok()) {
      if (answer.code == "invalid_cursor") censuses_.erase(draft.entry);
      co_return answer;
    }
    if (const auto* channels = array_at(answer.body, "channels")) {
      for (const auto& channel : *channels) {
        if (channel.is_object()) look_at(channel.as_object(), draft, want, census);
      }
    }
    const auto next = next_cursor(answer.body);
    census.complete = next.empty() || next == cursor;
    census.cursor = next;
    if (census.complete) co_return answer;
  }
}

asio::awaitable<Delivery> SlackChannels::create(Draft draft, DraftCreateChannel want,
                                                SteadyTime deadline) {
  const auto base = take_suffix(want.name).base;
  if (being_created_.contains(base)) {
    co_return Retry{{Errc::refused, "another incident is creating a channel of this name"},
                    same_name_wait,
                    false,
                    false};
  }
  const Reservation reservation{being_created_, base};
  auto creating = create_named(draft, std::move(want), deadline);
  auto delivery = co_await std::move(creating);
  // A pass that was cut short goes on at the next attempt; anything else is over.
  if (!std::holds_alternative<Retry>(delivery)) censuses_.erase(draft.entry);
  const auto kept = censuses_.find(draft.entry);
  const bool resumable =
      kept != censuses_.end() && !kept->second.complete && !kept->second.cursor.empty();
  if (kept != censuses_.end() && !resumable) censuses_.erase(kept);
  while (censuses_.size() > censuses_max) censuses_.erase(censuses_.begin());
  co_return delivery;
}

asio::awaitable<Delivery> SlackChannels::create_named(Draft draft, DraftCreateChannel want,
                                                      SteadyTime deadline) {
  bool counted = false;
  auto [base, number] = take_suffix(want.name);
  if (draft.ambiguous) {
    auto counting = take_census(draft, want, deadline);
    const auto answer = co_await std::move(counting);
    if (!answer.ok()) co_return delivery_of(answer);
    counted = true;
    if (const auto ours = censuses_[draft.entry].ours) {
      auto adopting = adopt(want, *ours, deadline);
      co_return co_await std::move(adopting);
    }
  }
  for (int tries = 0; tries < limits::slack_name_suffixes; ++tries, ++number) {
    const auto name = with_suffix(base, number);
    if (censuses_[draft.entry].taken.contains(name)) continue;
    SlackCall call;
    call.method = SlackMethod::conversations_create;
    call.form = {{"name", name}};
    auto creating = api_.call(std::move(call), deadline);
    const auto answer = co_await std::move(creating);
    if (answer.ok()) {
      // What Slack made of the name is its name from now on.
      auto told = text_at(answer.body, {"channel", "name"});
      auto ready =
          created(text_at(answer.body, {"channel", "id"}), told.empty() ? name : told, deadline);
      co_return co_await std::move(ready);
    }
    if (calls_for_fallback(answer.kind)) {
      auto falling_back = use_fallback(draft, want, answer, deadline);
      co_return co_await std::move(falling_back);
    }
    if (answer.kind != SlackClass::name_taken) co_return delivery_of(answer);
    if (counted) continue;
    auto counting = take_census(draft, want, deadline);
    const auto census = co_await std::move(counting);
    // Without the right to list, nothing of ours can be found; as no attempt of ours is in doubt,
    // nothing is.
    const bool unlistable = calls_for_fallback(census.kind);
    if (!census.ok() && !unlistable) co_return delivery_of(census);
    counted = true;
    if (const auto ours = censuses_[draft.entry].ours) {
      auto adopting = adopt(want, *ours, deadline);
      co_return co_await std::move(adopting);
    }
  }
  SlackAnswer exhausted;
  exhausted.kind = SlackClass::refused;
  exhausted.why = {Errc::refused,
                   fmt::format("{} names from #{} on are taken, archived channels included",
                               limits::slack_name_suffixes, want.name)};
  auto falling_back = use_fallback(draft, want, std::move(exhausted), deadline);
  co_return co_await std::move(falling_back);
}

asio::awaitable<Delivery> SlackChannels::created(std::string id, std::string name,
                                                 SteadyTime deadline) {
  if (id.empty()) {
    co_return Retry{{Errc::protocol, "Slack conversations.create: said ok, but named no channel"},
                    {},
                    true,
                    true};
  }
  // The link is worth one question in the life of the process, never the channel.
  auto asking = api_.identify(std::min(deadline, api_.clock().steady() + identify_wait));
  co_await std::move(asking);
  Delivered delivered;
  const auto& us = api_.identity();
  delivered.channel_url = us && !us->url.empty() ? us->url + "archives/" + id
                                                 : "https://slack.com/app_redirect?channel=" + id;
  delivered.channel_id = std::move(id);
  delivered.channel_name = std::move(name);
  co_return delivered;
}

asio::awaitable<Delivery> SlackChannels::adopt(DraftCreateChannel want, Found found,
                                               SteadyTime deadline) {
  if (!found.marked) {
    // Mark it at once, so that no other attempt takes it for its own. The lane sets the purpose
    // again anyway.
    SlackCall call;
    call.method = SlackMethod::conversations_set_purpose;
    call.form = {{"channel", found.id}, {"purpose", fit_purpose(want.purpose, marker_prefix)}};
    auto marking = api_.call_as_member(std::move(call), found.id, deadline);
    const auto marked = co_await std::move(marking);
    if (marked.kind == SlackClass::held || marked.kind == SlackClass::rate)
      co_return delivery_of(marked);
  }
  auto ready = created(found.id, found.name, deadline);
  co_return co_await std::move(ready);
}

asio::awaitable<SlackAnswer> SlackChannels::find_fallback(SteadyTime deadline) {
  SlackAnswer answer;
  if (!fallback_.id.empty()) co_return answer;
  auto wanted = api_.options().fallback_channel;
  if (wanted.starts_with('#')) wanted.erase(0, 1);
  if (looks_like_channel_id(wanted)) {
    fallback_.id = fallback_.name = wanted;
    co_return answer;
  }
  std::string cursor;
  do {
    SlackCall call;
    call.method = SlackMethod::conversations_list;
    call.response_bytes_max = list_bytes_max;
    call.form = {{"types", "public_channel"},
                 {"exclude_archived", "true"},
                 {"limit", std::string{list_page}}};
    if (!cursor.empty()) call.form.emplace_back("cursor", cursor);
    auto asking = api_.call(std::move(call), deadline);
    answer = co_await std::move(asking);
    if (!answer.ok()) co_return answer;
    if (const auto* channels = array_at(answer.body, "channels")) {
      for (const auto& channel : *channels) {
        if (!channel.is_object() || text_at(channel.as_object(), {"name"}) != wanted) continue;
        fallback_.id = text_at(channel.as_object(), {"id"});
        fallback_.name = wanted;
        co_return answer;
      }
    }
    const auto next = next_cursor(answer.body);
    if (next == cursor) break;
    cursor = next;
  } while (!cursor.empty());
  answer.kind = SlackClass::refused;
  answer.why = {
      Errc::missing,
      fmt::format("slack.fallback_channel #{} is not there: create it, or name another", wanted)};
  co_return answer;
}

asio::awaitable<Delivery> SlackChannels::use_fallback(Draft draft, DraftCreateChannel want,
                                                      SlackAnswer refusal, SteadyTime deadline) {
  auto& why = refusal.why;
  if (api_.options().fallback_channel.empty()) {
    why.detail += "; allow the app to create channels, or set slack.fallback_channel";
    // A token without the scope is ours to mend (Halt), and then the channel can still be had.
    co_return delivery_of(refusal);
  }
  auto finding = find_fallback(deadline);
  auto found = co_await std::move(finding);
  if (!found.ok()) {
    found.why.detail = why.detail + "; " + found.why.detail;
    co_return delivery_of(found);
  }
  const Found place = fallback_;
  SlackMessages::Words words{
      fmt::format("*{}* is kept in this thread, for its channel could not be created.\n{}",
                  escape_markup(want.name), escape_markup(want.purpose)),
      {},
      {},
      "thread"};
  auto posting = messages_.post(draft, SlackMessages::Place{place.id}, std::move(words), deadline);
  auto posted = co_await std::move(posting);
  if (!posted.answer.ok()) {
    if (posted.answer.kind == SlackClass::channel_gone) fallback_ = Found{};
    posted.answer.why.detail = why.detail + "; the fallback channel: " + posted.answer.why.detail;
    co_return delivery_of(posted.answer);
  }
  auto describing = created(place.id, place.name, deadline);
  auto delivery = co_await std::move(describing);
  auto* delivered = std::get_if<Delivered>(&delivery);
  if (!delivered) co_return delivery;
  delivered->thread = posted.ts;
  if (delivered->channel_url.find("/archives/") != std::string::npos) {
    auto digits = posted.ts;
    std::erase(digits, '.');
    delivered->channel_url += "/p" + digits;
  }
  delivered->notes.push_back(
      fmt::format("no channel of its own: {}; kept as a thread in #{}", why.detail, place.name));
  co_return delivery;
}

asio::awaitable<Delivery> SlackChannels::set_purpose(Draft draft, DraftSetPurpose purpose,
                                                     SteadyTime deadline) {
  // The fallback channel is not ours to rename.
  if (!draft.channel.thread.empty()) co_return Delivered{};
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  SlackCall call;
  call.method = SlackMethod::conversations_set_purpose;
  call.form = {{"channel", draft.channel.id},
               {"purpose", fit_purpose(purpose.text, marker_prefix)}};
  auto setting = api_.call_as_member(std::move(call), draft.channel.id, deadline);
  const auto answer = co_await std::move(setting);
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  if (answer.kind == SlackClass::scope) co_return Rejected{answer.why};
  co_return delivery_of(answer);
}

asio::awaitable<Delivery> SlackChannels::set_topic(Draft draft, DraftSetTopic topic,
                                                   SteadyTime deadline) {
  if (!draft.channel.thread.empty()) co_return Delivered{};
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  SlackCall call;
  call.method = SlackMethod::conversations_set_topic;
  call.form = {{"channel", draft.channel.id},
               {"topic", fit_plain(topic.text, limits::slack_topic_characters)}};
  auto setting = api_.call_as_member(std::move(call), draft.channel.id, deadline);
  const auto answer = co_await std::move(setting);
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  if (answer.kind == SlackClass::scope) co_return Rejected{answer.why};
  co_return delivery_of(answer);
}

asio::awaitable<Delivery> SlackChannels::archive(Draft draft, SteadyTime deadline) {
  if (!draft.channel.thread.empty()) co_return Delivered{};
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  SlackCall call;
  call.method = SlackMethod::conversations_archive;
  call.form = {{"channel", draft.channel.id}};
  auto archiving = api_.call_as_member(std::move(call), draft.channel.id, deadline);
  auto answer = co_await std::move(archiving);
  // Archiving throws the bot out, so a repeated call meets "not_in_channel", and joining then
  // "is_archived".
  if (answer.code == "is_archived" || answer.code == "already_archived") co_return Delivered{};
  if (answer.kind == SlackClass::not_member) {
    SlackCall question;
    question.method = SlackMethod::conversations_info;
    question.form = {{"channel", draft.channel.id}};
    auto asking = api_.call(std::move(question), deadline);
    const auto told = co_await std::move(asking);
    const auto* channel = object_at(told.body, "channel");
    if (told.ok() && channel && flag_at(*channel, "is_archived")) co_return Delivered{};
  }
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  if (answer.kind == SlackClass::scope) co_return Rejected{answer.why};
  co_return delivery_of(answer);
}

}  // namespace tocsin::notify
