#include "agent/notify/slack_message.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_blocks.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr int search_pages = 5;
constexpr std::string_view search_page = "100";
constexpr std::size_t search_bytes_max = 4u << 20;

/// Whether a message carries our mark: of this very entry, or of the one message of its kind that
/// an incident has.
bool is_ours(const json::object& message, const Draft& draft, std::string_view kind) {
  const auto* metadata = object_at(message, "metadata");
  if (!metadata || text_at(*metadata, {"event_type"}) != message_event_type) return false;
  const auto* payload = object_at(*metadata, "event_payload");
  if (!payload || text_at(*payload, {"incident"}) != draft.incident.value) return false;
  if (text_at(*payload, {"entry"}) == std::to_string(draft.entry.value)) return true;
  const bool one_an_incident = kind == "summary" || kind == "thread";
  return one_an_incident && text_at(*payload, {"kind"}) == kind;
}

}  // namespace

std::string to_slack_ts(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return fmt::format("{}.{:06}", seconds.count(), (since - seconds).count());
}

Rejected no_channel(const Draft& draft, const std::string& why) {
  if (draft.channel.id.empty()) {
    return {{Errc::missing,
             "the incident has no Slack channel: creating it was refused; see the outbox"}};
  }
  return {{Errc::missing, fmt::format("the issue channel #{} ({}) cannot be used any more: {}",
                                      draft.channel.name, draft.channel.id, why)}};
}

asio::awaitable<SlackMessages::Search> SlackMessages::find_own(Draft draft, Place place,
                                                               std::string kind,
                                                               SteadyTime deadline) {
  SlackCall call;
  call.method = place.thread.empty() ? SlackMethod::conversations_history
                                     : SlackMethod::conversations_replies;
  call.response_bytes_max = search_bytes_max;
  const auto skew = std::chrono::duration_cast<WallTime::duration>(slack_clock_skew);
  Search search;
  std::string cursor;
  for (int page = 0; page < search_pages; ++page) {
    call.form = {{"channel", place.channel},
                 {"oldest", to_slack_ts(draft.first_attempt - skew)},
                 {"include_all_metadata", "true"},
                 {"limit", std::string{search_page}}};
    if (!place.thread.empty()) call.form.emplace_back("ts", place.thread);
    if (!cursor.empty()) call.form.emplace_back("cursor", cursor);
    auto asking = api_.call_as_member(call, place.channel, deadline);
    search.answer = co_await std::move(asking);
    if (!search.answer.ok()) co_return search;
    if (const auto* messages = array_at(search.answer.body, "messages")) {
      for (const auto& message : *messages) {
        if (!message.is_object() || !is_ours(message.as_object(), draft, kind)) continue;
        search.ts = text_at(message.as_object(), {"ts"});
        co_return search;
      }
    }
    cursor = next_cursor(search.answer.body);
    if (cursor.empty()) break;
  }
  co_return search;
}

asio::awaitable<SlackMessages::Posted> SlackMessages::post(Draft draft, Place place, Words words,
                                                           SteadyTime deadline) {
  Posted posted;
  if (draft.ambiguous) {
    auto looking = find_own(draft, place, words.kind, deadline);
    auto search = co_await std::move(looking);
    if (!search.ts.empty()) {
      posted.ts = std::move(search.ts);
      posted.found = true;
      co_return posted;
    }
    // Where history is closed to us for good, a message twice is better than none.
    if (may_succeed_later(search.answer.kind)) {
      posted.answer = std::move(search.answer);
      co_return posted;
    }
  }
  SlackCall call;
  call.method = SlackMethod::chat_post_message;
  call.channel = place.channel;
  call.form = {{"channel", place.channel}, {"unfurl_links", "false"}, {"unfurl_media", "false"}};
  if (!place.thread.empty()) call.form.emplace_back("thread_ts", place.thread);
  auto plain_call = call;
  const auto metadata = message_metadata(draft, words.kind);
  call.form.emplace_back("text", words.text);
  if (!words.blocks.empty()) call.form.emplace_back("blocks", words.blocks);
  call.form.emplace_back("metadata", metadata);
  auto posting = api_.call_as_member(std::move(call), place.channel, deadline);
  posted.answer = co_await std::move(posting);
  if (posted.answer.kind == SlackClass::unfit) {
    plain_call.form.emplace_back("text", words.plain.empty() ? words.text : words.plain);
    const bool metadata_refused = posted.answer.code.find("metadata") != std::string::npos;
    if (!metadata_refused) plain_call.form.emplace_back("metadata", metadata);
    auto again = api_.call(std::move(plain_call), deadline);
    posted.answer = co_await std::move(again);
  }
  if (posted.answer.ok()) posted.ts = text_at(posted.answer.body, {"ts"});
  co_return posted;
}

asio::awaitable<SlackAnswer> SlackMessages::update(Draft draft, std::string ts, Words words,
                                                   SteadyTime deadline) {
  SlackCall call;
  call.method = SlackMethod::chat_update;
  call.channel = draft.channel.id;
  call.form = {
      {"channel", draft.channel.id}, {"ts", ts}, {"text", words.text}, {"blocks", words.blocks}};
  auto editing = api_.call_as_member(std::move(call), draft.channel.id, deadline);
  auto answer = co_await std::move(editing);
  if (answer.kind != SlackClass::unfit) co_return answer;
  SlackCall plain;
  plain.method = SlackMethod::chat_update;
  plain.channel = draft.channel.id;
  plain.form = {{"channel", draft.channel.id}, {"ts", ts}, {"text", words.plain}, {"blocks", "[]"}};
  auto again = api_.call(std::move(plain), deadline);
  co_return co_await std::move(again);
}

asio::awaitable<Delivery> SlackMessages::put_summary(Draft draft, DraftPutSummary summary,
                                                     SteadyTime deadline) {
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  auto forms = summary_forms(summary);
  const Words words{std::move(forms.text), std::move(forms.blocks), std::move(forms.plain),
                    "summary"};
  auto ts = draft.channel.summary_message;
  if (ts.empty()) {
    auto posting = post(draft, Place{draft.channel.id, draft.channel.thread}, words, deadline);
    auto posted = co_await std::move(posting);
    if (posted.answer.kind == SlackClass::channel_gone)
      co_return no_channel(draft, posted.answer.why.detail);
    if (!posted.answer.ok()) co_return delivery_of(posted.answer);
    Delivered delivered;
    delivered.message = posted.ts;
    if (!posted.found) co_return delivered;
    ts = std::move(posted.ts);
  }
  auto editing = update(draft, ts, words, deadline);
  auto answer = co_await std::move(editing);
  if (answer.kind == SlackClass::message_gone) {
    // Somebody deleted it, or the workspace closes old messages to editing: a new one takes its
    // place.
    auto fresh = draft;
    fresh.channel.summary_message.clear();
    fresh.ambiguous = false;
    auto posting =
        post(std::move(fresh), Place{draft.channel.id, draft.channel.thread}, words, deadline);
    auto posted = co_await std::move(posting);
    ts = std::move(posted.ts);
    answer = std::move(posted.answer);
  }
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  if (!answer.ok()) co_return delivery_of(answer);
  Delivered delivered;
  delivered.message = std::move(ts);
  co_return delivered;
}

asio::awaitable<Delivery> SlackMessages::say(Draft draft, DraftPost said, SteadyTime deadline) {
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  if (said.text.empty()) co_return Delivered{};
  Words words{fit_markup(said.text, limits::slack_blocks_characters), {}, {}, "post"};
  words.plain = fit_markup(said.text, limits::slack_update_text_characters);
  const Place place{draft.channel.id, draft.channel.thread};
  auto posting = post(draft, place, std::move(words), deadline);
  auto posted = co_await std::move(posting);
  if (posted.answer.kind == SlackClass::channel_gone)
    co_return no_channel(draft, posted.answer.why.detail);
  if (!posted.answer.ok()) co_return delivery_of(posted.answer);
  Delivered delivered;
  delivered.message = std::move(posted.ts);
  co_return delivered;
}

}  // namespace tocsin::notify
