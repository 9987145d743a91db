#include "tests/fakes/slack.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/manual_clock.hpp"

namespace tocsin::fakes {
namespace {

using namespace std::chrono_literals;

struct FakeSlackTest : testing::Test {
  ManualClock clock{};
  FakeSlack slack{[this] { return clock.now(); }};
  std::string token{FakeSlack::bot_token};

  HttpReply call(const std::string& method, const std::string& form = "") {
    return slack.handle({"POST",
                         "/api/" + method,
                         {{"Authorization", "Bearer " + token},
                          {"Content-Type", "application/x-www-form-urlencoded"}},
                         form});
  }
  std::string error_of(const HttpReply& reply) {
    const std::string mark = R"("error":")";
    const auto at = reply.body.find(mark);
    if (at == std::string::npos) return "";
    const auto from = at + mark.size();
    return reply.body.substr(from, reply.body.find('"', from) - from);
  }
  std::string refused(const std::string& method, const std::string& form = "") {
    const auto reply = call(method, form);
    EXPECT_EQ(reply.status, 200) << "logical errors are HTTP 200";
    return error_of(reply);
  }
  std::string create(const std::string& name) {
    EXPECT_EQ(refused("conversations.create", "name=" + name), "");
    return slack.channel(name)->id;
  }
};

TEST_F(FakeSlackTest, ArgumentsComeInTheQueryAsAFormOrAsJson) {
  const std::vector<std::pair<std::string, std::string>> authorized{
      {"authorization", "Bearer " + token}, {"content-type", "application/json; charset=utf-8"}};
  EXPECT_EQ(
      error_of(slack.handle({"GET", "/api/conversations.info?channel=C0SRE", authorized, ""})), "");
  EXPECT_EQ(error_of(call("conversations.info", "channel=C0SRE")), "");
  const HttpCall json{"POST", "/api/conversations.setTopic", authorized,
                      R"({"channel":"C0SRE","topic":"a \"b\""})"};
  EXPECT_EQ(error_of(slack.handle(json)), "");
  EXPECT_EQ(slack.channel("sre")->topic.value, "a \"b\"");
}

TEST_F(FakeSlackTest, ATokenInAJsonBodyIsNotRead) {
  const HttpCall call{"POST",
                      "/api/auth.test",
                      {{"content-type", "application/json"}},
                      R"({"token":")" + token + R"("})"};
  EXPECT_EQ(error_of(slack.handle(call)), "not_authed");
}

TEST_F(FakeSlackTest, MethodsWithoutJsonRefuseItRatherThanIgnoreIt) {
  const HttpCall call{"POST",
                      "/api/conversations.info",
                      {{"authorization", "Bearer " + token}, {"content-type", "application/json"}},
                      R"({"channel":"C0SRE"})"};
  EXPECT_EQ(error_of(slack.handle(call)), "invalid_post_type");
}

TEST_F(FakeSlackTest, FormsAreDecoded) {
  call("conversations.setTopic", "channel=C0SRE&topic=50%25+%26+more%21");
  EXPECT_EQ(slack.channel("sre")->topic.value, "50% & more!");
}

TEST_F(FakeSlackTest, ScopesAreCheckedWhenTheTokenHasSome) {
  slack.workspace().tokens[0].scopes = {"chat:write"};
  const auto reply = call("conversations.create", "name=a");
  EXPECT_EQ(error_of(reply), "missing_scope");
  EXPECT_NE(reply.body.find(R"("needed":"channels:manage","provided":"chat:write")"),
            std::string::npos);
  EXPECT_EQ(refused("chat.postMessage", "channel=C0SRE&text=hi"), "");
}

TEST_F(FakeSlackTest, ARevokedTokenIsRefused) {
  slack.workspace().tokens[0].revoked = true;
  EXPECT_EQ(refused("auth.test"), "token_revoked");
}

TEST_F(FakeSlackTest, AnArchivedChannelKeepsItsNameAndPutsTheBotOut) {
  const auto id = create("issue-nginx-2211");
  EXPECT_EQ(refused("conversations.archive", "channel=" + id), "");
  EXPECT_FALSE(slack.channel("issue-nginx-2211")->has_member(FakeSlack::bot_user));
  EXPECT_EQ(refused("conversations.create", "name=issue-nginx-2211"), "name_taken");
  EXPECT_EQ(refused("conversations.history", "channel=" + id), "not_in_channel");
  EXPECT_EQ(refused("conversations.unarchive", "channel=" + id), "not_in_channel");
  EXPECT_EQ(refused("conversations.setTopic", "channel=" + id + "&topic=t"), "is_archived");
}

TEST_F(FakeSlackTest, PeopleCanReopenWhatABotCannot) {
  const auto id = create("reopened");
  call("conversations.invite", "channel=" + id + "&users=U0JANE");
  call("conversations.archive", "channel=" + id);
  token = FakeSlack::user_token;
  EXPECT_EQ(refused("conversations.unarchive", "channel=" + id), "");
  EXPECT_FALSE(slack.channel("reopened")->archived);
  EXPECT_EQ(slack.channel("reopened")->messages.back().subtype, "channel_unarchive");
}

TEST_F(FakeSlackTest, AnInvisiblePrivateChannelHoldsItsNameAllTheSame) {
  slack.workspace().channels.push_back(
      {.id = "C0HIDDEN", .name = "hidden", .is_private = true, .members = {"U0JANE"}});
  EXPECT_EQ(refused("conversations.info", "channel=C0HIDDEN"), "channel_not_found");
  EXPECT_EQ(refused("conversations.create", "name=hidden"), "name_taken");
  EXPECT_EQ(call("conversations.list", "types=public_channel,private_channel").body.find("hidden"),
            std::string::npos);
}

TEST_F(FakeSlackTest, CreatingMayBeForbidden) {
  slack.set_options({.may_create = false});
  EXPECT_EQ(refused("conversations.create", "name=a"), "restricted_action");
}

TEST_F(FakeSlackTest, CreatedIsInSecondsAndUpdatedInMilliseconds) {
  create("a");
  EXPECT_EQ(slack.channel("a")->created, 1'700'000'000);
  EXPECT_EQ(slack.channel("a")->updated_ms, 1'700'000'000'000);
}

TEST_F(FakeSlackTest, MessageIdsNeverRepeatThoughTimeStandsStill) {
  call("chat.postMessage", "channel=C0SRE&text=one");
  call("chat.postMessage", "channel=C0SRE&text=two");
  const auto& messages = slack.channel("sre")->messages;
  EXPECT_EQ(messages[0].ts, "1700000000.000000");
  EXPECT_EQ(messages[1].ts, "1700000000.000001");
}

TEST_F(FakeSlackTest, HistoryIsNewestFirstWithoutRepliesAndBetweenItsBounds) {
  const auto first = slack.say("sre", "U0JANE", "first");
  clock.advance(1s);
  const auto second = slack.say("sre", "U0JANE", "second");
  call("chat.postMessage", "channel=C0SRE&text=reply&thread_ts=" + first);
  const auto body = call("conversations.history", "channel=C0SRE").body;
  EXPECT_LT(body.find("second"), body.find("first"));
  EXPECT_EQ(body.find("reply"), std::string::npos);
  const auto after = call("conversations.history", "channel=C0SRE&oldest=" + first).body;
  EXPECT_EQ(after.find("first"), std::string::npos);
  const auto at =
      call("conversations.history", "channel=C0SRE&inclusive=true&latest=" + first).body;
  EXPECT_NE(at.find("first"), std::string::npos);
  EXPECT_EQ(at.find("second"), std::string::npos);
  EXPECT_EQ(refused("conversations.history", "channel=C0SRE&oldest=yesterday"),
            "invalid_ts_oldest");
}

TEST_F(FakeSlackTest, PostingNeedsMembershipAndTakesNamesToo) {
  EXPECT_EQ(refused("chat.postMessage", "channel=C0GENERAL&text=hi"), "not_in_channel");
  EXPECT_EQ(refused("chat.postMessage", "channel=%23sre&text=hi"), "");
  EXPECT_EQ(refused("chat.postMessage", "channel=sre&text=hi"), "");
  EXPECT_EQ(refused("conversations.info", "channel=sre"), "channel_not_found")
      << "others need the id";
  slack.workspace().tokens[0].scopes = {"chat:write", "chat:write.public"};
  EXPECT_EQ(refused("chat.postMessage", "channel=C0GENERAL&text=hi"), "");
}

TEST_F(FakeSlackTest, OnlyTheAuthorEdits) {
  const auto ts = slack.say("sre", "U0JANE", "mine");
  EXPECT_EQ(refused("chat.update", "channel=C0SRE&text=x&ts=" + ts), "cant_update_message");
  EXPECT_EQ(refused("chat.update", "channel=C0SRE&text=x&ts=1.000000"), "message_not_found");
}

TEST_F(FakeSlackTest, BookmarksTakeWebLinksOnly) {
  EXPECT_EQ(refused("bookmarks.add", "channel_id=C0SRE&title=t&type=link&link=ftp://x"),
            "invalid_link");
  EXPECT_EQ(refused("bookmarks.add", "channel_id=C0SRE&title=t&type=page&link=https://x"),
            "invalid_bookmark_type");
  EXPECT_EQ(refused("bookmarks.add", "channel_id=C0GENERAL&title=t&type=link&link=https://x"),
            "permission_denied");
  EXPECT_EQ(refused("bookmarks.add", "channel_id=C0SRE&title=t&type=link&link=https://x"), "");
}

TEST_F(FakeSlackTest, NoMoreThanAHundredGuestsAtOnce) {
  std::string users = "U0JANE";
  for (int guest = 0; guest < 100; ++guest) users += ",U0JANE";
  EXPECT_EQ(refused("conversations.invite", "channel=C0SRE&users=" + users), "invalid_arguments");
}

TEST_F(FakeSlackTest, TiersRefillWithTime) {
  slack.set_options({.rate_limits = true});
  for (int count = 0; count < 20; ++count) EXPECT_EQ(call("conversations.list").status, 200);
  const auto limited = call("conversations.list");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(error_of(limited), "ratelimited");
  EXPECT_EQ(limited.headers.back(), (std::pair<std::string, std::string>{"retry-after", "3"}));
  EXPECT_EQ(call("users.info", "user=U0LI").status, 200) << "another method has its own limit";
  clock.advance(3s);
  EXPECT_EQ(call("conversations.list").status, 200);
}

TEST_F(FakeSlackTest, EachChannelTakesAboutOneMessageASecond) {
  slack.set_options({.rate_limits = true});
  call("conversations.join", "channel=C0GENERAL");
  for (int count = 0; count < 5; ++count)
    EXPECT_EQ(call("chat.postMessage", "channel=C0SRE&text=t").status, 200);
  EXPECT_EQ(call("chat.postMessage", "channel=C0SRE&text=t").status, 429);
  EXPECT_EQ(call("chat.postMessage", "channel=C0GENERAL&text=t").status, 200);
  clock.advance(1s);
  EXPECT_EQ(call("chat.postMessage", "channel=C0SRE&text=t").status, 200);
}

TEST_F(FakeSlackTest, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(refused("conversations.kill"), "unknown_method");
  EXPECT_EQ(slack.handle({"GET", "/", {}, ""}).status, 404);
  EXPECT_EQ(refused("pins.add", "timestamp=1"), "invalid_arguments");
}

}  // namespace
}  // namespace tocsin::fakes
