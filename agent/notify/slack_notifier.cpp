#include "agent/notify/slack_notifier.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_channel.hpp"
#include "agent/notify/slack_message.hpp"
#include "agent/notify/slack_people.hpp"
#include "agent/notify/wire.hpp"
#include "tocsin/base/overloaded.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace {

/// A best-effort step that is refused for want of a scope is refused for itself only: the token
/// still does the rest.
Delivery best_effort(const SlackAnswer& answer) {
  if (answer.kind == SlackClass::scope) return Rejected{answer.why};
  return delivery_of(answer);
}

bool is_best_effort_body(const DraftBody& body) {
  return std::holds_alternative<DraftPin>(body) || std::holds_alternative<DraftBookmark>(body) ||
         std::holds_alternative<DraftInvite>(body);
}

asio::awaitable<Delivery> not_for_slack() {
  co_return Rejected{{Errc::unsupported, "a page was addressed to Slack; it belongs to PagerDuty"}};
}

}  // namespace

struct SlackNotifier::Rooms {
  Rooms(Network& network, Clock& clock, SlackOptions options)
      : api{network, clock, std::move(options)} {}
  SlackApi api;
  SlackMessages messages{api};
  SlackChannels channels{api, messages};
  SlackPeople people{api};
};

SlackNotifier::SlackNotifier(Network& network, Clock& clock, SlackOptions options)
    : rooms_{std::make_unique<Rooms>(network, clock, std::move(options))} {}
SlackNotifier::~SlackNotifier() = default;

asio::awaitable<Delivery> SlackNotifier::carry(Draft draft, SteadyTime deadline) {
  auto& [api, messages, channels, people] = *rooms_;
  return std::visit(
      overloaded{
          [&](const DraftCreateChannel& want) { return channels.create(draft, want, deadline); },
          [&](const DraftSetPurpose& purpose) {
            return channels.set_purpose(draft, purpose, deadline);
          },
          [&](const DraftSetTopic& topic) { return channels.set_topic(draft, topic, deadline); },
          [&](const DraftPutSummary& summary) {
            return messages.put_summary(draft, summary, deadline);
          },
          [&](const DraftPin&) { return pin(draft, deadline); },
          [&](const DraftBookmark& link) { return bookmark(draft, link, deadline); },
          [&](const DraftInvite& invite) { return people.invite(draft, invite, deadline); },
          [&](const DraftPost& post) { return messages.say(draft, post, deadline); },
          [&](const DraftArchive&) { return channels.archive(draft, deadline); },
          [](const DraftTrigger&) { return not_for_slack(); },
          [](const DraftAcknowledge&) { return not_for_slack(); },
          [](const DraftResolve&) { return not_for_slack(); },
      },
      draft.body);
}

asio::awaitable<Delivery> SlackNotifier::deliver(Draft draft, SteadyTime deadline) {
  auto carrying = carry(draft, deadline);
  auto delivery = co_await std::move(carrying);
  auto* retry = std::get_if<Retry>(&delivery);
  if (!retry) co_return delivery;
  // What was in doubt stays in doubt until Slack has said yes or no.
  retry->ambiguous = retry->ambiguous || draft.ambiguous;
  const bool said_by_slack =
      retry->why.code == Errc::refused && !retry->no_sooner && retry->attempted;
  const auto age = rooms_->api.clock().wall() - draft.first_attempt;
  if (is_best_effort_body(draft.body) && said_by_slack && age > best_effort_for) {
    co_return Rejected{
        {retry->why.code, retry->why.detail + "; given up, for it is not essential"}};
  }
  co_return delivery;
}

asio::awaitable<Delivery> SlackNotifier::pin(Draft draft, SteadyTime deadline) {
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  if (!draft.channel.thread.empty()) co_return Delivered{};  // Not ours to pin to.
  if (draft.channel.summary_message.empty()) {
    co_return Rejected{
        {Errc::missing, "there is no summary message to pin: posting it was refused"}};
  }
  SlackCall call;
  call.method = SlackMethod::pins_add;
  call.form = {{"channel", draft.channel.id}, {"timestamp", draft.channel.summary_message}};
  auto pinning = rooms_->api.call_as_member(std::move(call), draft.channel.id, deadline);
  const auto answer = co_await std::move(pinning);
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  co_return best_effort(answer);
}

asio::awaitable<Delivery> SlackNotifier::bookmark(Draft draft, DraftBookmark bookmark,
                                                  SteadyTime deadline) {
  if (draft.channel.id.empty()) co_return no_channel(draft, {});
  if (!draft.channel.thread.empty()) co_return Delivered{};
  const bool web = bookmark.link.starts_with("http://") || bookmark.link.starts_with("https://");
  if (!web || bookmark.link.size() > limits::slack_bookmark_link_bytes) {
    co_return Rejected{
        {Errc::malformed,
         fmt::format("the bookmark \"{}\" needs an http(s) link of at most {} bytes",
                     cut_characters(bookmark.title, 80), limits::slack_bookmark_link_bytes)}};
  }
  if (draft.ambiguous) {
    SlackCall question;
    question.method = SlackMethod::bookmarks_list;
    question.form = {{"channel_id", draft.channel.id}};
    auto asking = rooms_->api.call(std::move(question), deadline);
    const auto told = co_await std::move(asking);
    if (const auto* bookmarks = array_at(told.body, "bookmarks")) {
      for (const auto& item : *bookmarks) {
        if (item.is_object() && text_at(item.as_object(), {"link"}) == bookmark.link)
          co_return Delivered{};
      }
    }
    // Where listing is closed to us, a bookmark twice is the lesser evil.
    if (!told.ok() && std::holds_alternative<Retry>(delivery_of(told))) co_return delivery_of(told);
  }
  SlackCall call;
  call.method = SlackMethod::bookmarks_add;
  call.form = {{"channel_id", draft.channel.id},
               {"title", cut_characters(bookmark.title.empty() ? bookmark.link : bookmark.title,
                                        limits::slack_bookmark_title_characters)},
               {"type", "link"},
               {"link", bookmark.link}};
  auto adding = rooms_->api.call_as_member(std::move(call), draft.channel.id, deadline);
  const auto answer = co_await std::move(adding);
  if (answer.kind == SlackClass::channel_gone) co_return no_channel(draft, answer.why.detail);
  co_return best_effort(answer);
}

Task<std::string> SlackNotifier::test(SteadyTime deadline) {
  SlackCall question;
  question.method = SlackMethod::auth_test;
  auto asking = rooms_->api.call(std::move(question), deadline);
  const auto answer = co_await std::move(asking);
  if (!answer.ok()) co_return answer.why;
  const std::vector<Secret> secrets{rooms_->api.options().token};
  co_return fmt::format("Slack accepts the token: {} in {} ({})",
                        quoted(text_at(answer.body, {"user"}), secrets, 80),
                        quoted(text_at(answer.body, {"team"}), secrets, 80),
                        quoted(text_at(answer.body, {"url"}), secrets, 200));
}

}  // namespace tocsin::notify
