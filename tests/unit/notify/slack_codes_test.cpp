#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/slack_errors.hpp"
#include "agent/notify/slack_notifier.hpp"
#include "tests/unit/notify/stage.hpp"

// The part of the conformance suite that is about Slack's own words: every documented code of every
// method that is called.
namespace tocsin::notify {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string secret = "xoxb-0123456789-abcdefabcdef0123";

std::unique_ptr<Notifier> make_slack(Network& network, Clock& clock) {
  SlackOptions options;
  options.token = Secret{secret};
  return std::make_unique<SlackNotifier>(network, clock, std::move(options));
}

struct Documented {
  std::string method, code;
};

std::vector<Documented> documented_codes() {
  const auto all = boost::json::parse(fixture("slack/error_codes.json"));
  std::vector<Documented> codes;
  for (const auto& entry : all.at("methods").as_array()) {
    const std::string method{entry.at("method").as_string()};
    for (const auto& code : entry.at("codes").as_array())
      codes.push_back({method, std::string{code.as_string()}});
    for (const auto& code : all.at("any_method").as_array())
      codes.push_back({method, std::string{code.as_string()}});
  }
  return codes;
}

std::string method_of(const HttpRequest& request) {
  return request.url.target.substr(std::string{"/api/"}.size());
}

/// Slack in its best mood.
HttpOutcome fine(const std::string& method) {
  const std::map<std::string, std::string> bodies{
      {"conversations.create",
       R"({"ok":true,"channel":{"id":"C0000009","name":"issue-nginx-2211"}})"},
      {"conversations.list", R"({"ok":true,"channels":[]})"},
      {"conversations.info", R"({"ok":true,"channel":{"id":"C0000001","is_archived":false}})"},
      {"conversations.history", R"({"ok":true,"messages":[]})"},
      {"conversations.replies", R"({"ok":true,"messages":[]})"},
      {"chat.postMessage", R"({"ok":true,"ts":"1700000001.000100"})"},
      {"users.lookupByEmail", R"({"ok":true,"user":{"id":"U0123456"}})"},
      {"usergroups.list", R"({"ok":true,"usergroups":[{"id":"S0123456","handle":"sre"}]})"},
      {"usergroups.users.list", R"({"ok":true,"users":["U0123456"]})"},
      {"bookmarks.list", R"({"ok":true,"bookmarks":[]})"},
      {"auth.test", R"({"ok":true,"user_id":"U0BOT","url":"https://example.slack.com/"})"},
  };
  const auto found = bodies.find(method);
  return answered(200, found == bodies.end() ? R"({"ok":true})" : found->second);
}

/// The draft whose delivery calls the method, and whether it needs to be in doubt for that.
Draft draft_calling(const std::string& method, WallTime now) {
  auto channel = live_channel();
  auto fresh = channel;
  fresh.summary_message.clear();
  auto thread = fresh;
  thread.thread = "1700000000.000001";
  auto in_doubt = [](Draft draft) {
    draft.ambiguous = true;
    return draft;
  };
  if (method == "conversations.create") return draft_of(sample_channel(), {}, now);
  if (method == "conversations.list") return in_doubt(draft_of(sample_channel(), {}, now));
  if (method == "auth.test") return in_doubt(draft_of(sample_channel(), {}, now));
  if (method == "conversations.history") return in_doubt(draft_of(DraftPost{"x"}, channel, now));
  if (method == "conversations.replies") return in_doubt(draft_of(DraftPost{"x"}, thread, now));
  if (method == "conversations.invite") return draft_of(DraftInvite{{"U0123456"}}, channel, now);
  if (method == "conversations.setTopic") return draft_of(DraftSetTopic{"x"}, channel, now);
  if (method == "conversations.setPurpose") return draft_of(DraftSetPurpose{"x"}, channel, now);
  if (method == "conversations.archive") return draft_of(DraftArchive{}, channel, now);
  if (method == "chat.postMessage") return draft_of(DraftPost{"x"}, channel, now);
  if (method == "chat.update") return draft_of(sample_summary(), channel, now);
  if (method == "pins.add") return draft_of(DraftPin{}, channel, now);
  if (method == "bookmarks.add")
    return draft_of(DraftBookmark{"x", "https://x.example.com"}, channel, now);
  if (method == "bookmarks.list")
    return in_doubt(draft_of(DraftBookmark{"x", "https://x.example.com"}, channel, now));
  if (method == "users.lookupByEmail")
    return draft_of(DraftInvite{{"jane@example.com"}}, channel, now);
  if (method == "usergroups.list") return draft_of(DraftInvite{{"@sre"}}, channel, now);
  if (method == "usergroups.users.list") return draft_of(DraftInvite{{"@sre"}}, channel, now);
  // Joining and asking about a channel only happen when Slack says that the bot is not in it.
  return draft_of(DraftArchive{}, channel, now);
}

std::string expected_of(const Documented& documented) {
  const auto& [method, code] = documented;
  const std::set<std::string> halts{
      "accesslimited",          "account_inactive", "invalid_auth",
      "not_allowed_token_type", "not_authed",       "team_access_not_granted",
      "token_expired",          "token_revoked",    "two_factor_setup_required"};
  const std::set<std::string> later{"external_channel_migrating",
                                    "message_limit_exceeded",
                                    "org_login_required",
                                    "rate_limited",
                                    "ratelimited",
                                    "request_timeout",
                                    "service_unavailable",
                                    "team_added_to_org",
                                    "too_many_requests",
                                    "list_record_comment_fetch_failed"};
  const std::set<std::string> doubtful{"fatal_error", "internal_error", "update_failed"};
  const std::set<std::string> fine_codes{"already_archived", "already_in_channel", "already_pinned",
                                         "cant_invite_self"};
  const bool in_doubt = draft_calling(method, {}).ambiguous;
  if (method == "conversations.info" || method == "conversations.join") {
    // The archive is refused for not being a member; a join that may yet work is waited for, and so
    // is none else.
    if (method == "conversations.info") return "rejected";
    if (halts.contains(code)) return "halt";
    if (later.contains(code)) return "retry";
    if (doubtful.contains(code)) return "retry, perhaps done";
    return code == "is_archived" ? "delivered" : "rejected";
  }
  // What may be looked up in vain does not keep a message or a bookmark back.
  const bool only_looks = method == "conversations.history" || method == "conversations.replies" ||
                          method == "bookmarks.list";
  if (halts.contains(code)) return method == "bookmarks.list" ? "delivered" : "halt";
  if (later.contains(code)) return in_doubt ? "retry, perhaps done" : "retry";
  if (doubtful.contains(code)) return "retry, perhaps done";
  if (fine_codes.contains(code)) return "delivered";
  if (only_looks) return "delivered";
  // The bot joins and all is well: the script lets the second call pass.
  if (code == "not_in_channel") return "delivered";
  const std::set<std::string> scopes{"missing_scope", "no_permission"};
  const std::set<std::string> needed{"conversations.create", "conversations.list", "auth.test",
                                     "chat.postMessage", "chat.update"};
  if (scopes.contains(code)) return needed.contains(method) ? "halt" : "rejected";
  const std::set<std::string> messages{"message_not_found", "cant_update_message",
                                       "edit_window_closed"};
  if (method == "chat.update" && messages.contains(code))
    return "delivered";  // A new message takes its place.
  if (method == "conversations.create" && code == "name_taken")
    return "delivered";  // The next name is free.
  return "rejected";
}

TEST(SlackCodes, EveryDocumentedCodeIsInTheTable) {
  const auto all = documented_codes();
  ASSERT_GT(all.size(), 600u);
  for (const auto& [method, code] : all) EXPECT_TRUE(is_known_slack_code(code)) << code;
}

TEST(SlackCodes, EveryDocumentedCodeOfEveryMethodHasItsClass) {
  for (const auto& documented : documented_codes()) {
    SCOPED_TRACE(documented.method + ": " + documented.code);
    asio::io_context loop;
    fakes::ManualClock clock;
    bool joined = false;
    bool taken_once = false;
    ScriptedNetwork network{[&](const HttpRequest& request) {
      const auto method = method_of(request);
      const bool reluctant =
          documented.method == "conversations.join" || documented.method == "conversations.info";
      if (reluctant && method == "conversations.archive")
        return answered(200, R"({"ok":false,"error":"not_in_channel"})");
      if (method == "conversations.join" && documented.method != method) joined = true;
      if (method != documented.method) return fine(method);
      if (documented.code == "not_in_channel" && joined) return fine(method);
      if (documented.code == "name_taken" && std::exchange(taken_once, true)) return fine(method);
      return answered(200, R"({"ok":false,"error":")" + documented.code + R"("})");
    }};
    const auto notifier = make_slack(network, clock);
    const auto delivery =
        attempt(loop, clock, *notifier, draft_calling(documented.method, clock.wall()));
    EXPECT_EQ(class_of(delivery), expected_of(documented)) << texts_of(delivery);
    EXPECT_THAT(texts_of(delivery), Not(HasSubstr(secret)));
    const bool called = std::any_of(
        network.seen.begin(), network.seen.end(),
        [&](const HttpRequest& request) { return method_of(request) == documented.method; });
    EXPECT_TRUE(called) << "the draft does not call the method";
  }
}

TEST(SlackCodes, ACodeNobodyDocumentedIsRefusedVisibly) {
  asio::io_context loop;
  fakes::ManualClock clock;
  ScriptedNetwork network{
      [](const HttpRequest&) { return answered(200, R"({"ok":false,"error":"brand_new"})"); }};
  const auto notifier = make_slack(network, clock);
  const auto delivery =
      attempt(loop, clock, *notifier, draft_of(DraftPost{"x"}, live_channel(), clock.wall()));
  EXPECT_EQ(class_of(delivery), "rejected");
  EXPECT_THAT(texts_of(delivery), HasSubstr("brand_new"));
}

}  // namespace
}  // namespace tocsin::notify
