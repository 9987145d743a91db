// The program as people use it from a shell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Without an agent.
class Commands : public ::testing::Test {
 protected:
  static Answer tocsin(std::vector<std::string> words) {
    words.insert(words.begin(), Agent::binary());
    return run(std::move(words));
  }
  Target target_{"shop"};
  Agent agent_;
};

TEST_F(Commands, CheckExitsAsAPluginDoes) {
  agent_.configure("checks:\n" + target_.check() +
                   "  - {name: load, type: load, critical: load1 > 100000}\n");
  const auto well = agent_.command({"check"});
  EXPECT_EQ(well.code, 0) << well.errors;
  EXPECT_THAT(well.output, StartsWith("CHECK"));
  EXPECT_THAT(well.output, HasSubstr("2 checks, 0 in breach; worst: ok"));
  target_.breach();
  const auto broken = agent_.command({"check"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.output, HasSubstr("worst: critical"));
  EXPECT_EQ(agent_.command({"check", "load"}).code, 0) << "only the named one";
  const auto objects = agent_.command({"check", "--json"});
  EXPECT_EQ(objects.code, 2);
  EXPECT_EQ(text_at(json::parse(objects.output), 0, "severity"), "critical");
}

TEST_F(Commands, CheckSaysWhyOfWhatIsInBreach) {
  const auto nobody = "127.0.0.1:" + std::to_string(free_port());
  agent_.configure("checks:\n  - {name: cache, type: redis, address: \"" + nobody +
                   "\"}\n  - {name: load, type: load, critical: load1 > 100000}\n");
  const auto why = "connect to " + nobody + " failed: Connection refused";
  const auto all = agent_.command({"check"});
  EXPECT_EQ(all.code, 2);
  EXPECT_THAT(all.output, HasSubstr("up 0 < 1: connect to " + nobody));
  const auto one = agent_.command({"check", "cache"});
  EXPECT_THAT(one.output, HasSubstr("\ncache:\n  " + why + "\n")) << "in full, not cut";
  const auto objects = json::parse(agent_.command({"check", "--json"}).output);
  EXPECT_EQ(text_at(objects, 0, "probable_cause"), why);
  EXPECT_EQ(text_at(objects, 0, "evidence", 0), why);
  EXPECT_TRUE(items(at(objects, 1, "evidence")).empty());
}

TEST_F(Commands, CheckIsUnknownWhenItCannotTell) {
  agent_.configure("checks:\n  - {name: gone, type: exec, command: [/nonexistent/plugin]}\n");
  EXPECT_EQ(agent_.command({"check"}).code, 3);
  const auto typo = agent_.command({"check", "gon"});
  EXPECT_EQ(typo.code, 3);
  EXPECT_THAT(typo.errors, HasSubstr("did you mean \"gone\"?"));
  agent_.folder().write("tocsin.yaml", "checks: 5\n");
  EXPECT_EQ(agent_.command({"check"}).code, 3);
}

TEST_F(Commands, ConfigCheckReportsEveryFaultAtItsPlace) {
  agent_.folder().write(
      "tocsin.yaml",
      "state_dir: x\nchecks:\n  - {name: a, type: load, every: 5}\n  - {name: b, typ: load}\n");
  const auto answer = agent_.command({"config", "check", agent_.config_path()});
  EXPECT_EQ(answer.code, 3);
  EXPECT_THAT(answer.errors, HasSubstr("tocsin.yaml:3:"));
  EXPECT_THAT(answer.errors, HasSubstr("checks[0].every"));
  EXPECT_THAT(answer.errors, HasSubstr("tocsin.yaml:4:"));
  EXPECT_THAT(answer.errors, HasSubstr("^"));
  const auto objects = agent_.command({"config", "check", agent_.config_path(), "--json"});
  EXPECT_EQ(objects.code, 3);
  EXPECT_GE(items(at(json::parse(objects.output), "complaints")).size(), 2u);
  agent_.configure("checks:\n" + target_.check());
  EXPECT_EQ(agent_.command({"config", "check"}).code, 0);
}

TEST_F(Commands, ConfigShowHidesSecrets) {
  FakeReceivers receivers;
  Agent agent{&receivers};
  agent.configure("checks:\n" + target_.check());
  const auto answer = agent.command({"config", "show"});
  EXPECT_EQ(answer.code, 0) << answer.errors;
  EXPECT_THAT(answer.output, HasSubstr("<secret>"));
  EXPECT_THAT(answer.output, Not(HasSubstr(receivers.slack_token())));
  EXPECT_THAT(answer.output, Not(HasSubstr(std::string{Agent::routing_key})));
}

TEST_F(Commands, ConfigSchemaIsJson) {
  const auto answer = tocsin({"config", "schema"});
  EXPECT_EQ(answer.code, 0);
  const auto schema = json::parse(answer.output);
  EXPECT_THAT(text_at(schema, "$schema"), HasSubstr("json-schema.org"));
  EXPECT_FALSE(at(schema, "properties", "checks").is_null());
}

TEST_F(Commands, DocsAreTheShippedPages) {
  const std::vector<std::pair<std::string, std::string>> pages{
      {"checks", "checks.md"}, {"config", "configuration.md"}, {"metrics", "metrics.md"}};
  for (const auto& [word, file] : pages) {
    const auto answer = tocsin({"docs", word});
    EXPECT_EQ(answer.code, 0);
    EXPECT_EQ(answer.output, read_file(TOCSIN_SOURCE_DIR "/docs/" + file))
        << "regenerate it: tocsin docs " << word << " > docs/" << file;
  }
}

TEST_F(Commands, CompletionsAreGoodBash) {
  const auto script = tocsin({"completions"});
  EXPECT_EQ(script.code, 0);
  const auto file = agent_.folder().write("completions", script.output);
  EXPECT_EQ(run({"/bin/bash", "-n", file}).errors, "");
  const auto completed =
      run({"/bin/bash", "-c",
           "source '" + file +
               "'; COMP_WORDS=(tocsin inc); COMP_CWORD=1; _tocsin; echo \"${COMPREPLY[@]}\""});
  EXPECT_EQ(completed.output, "incident\n") << completed.errors;
}

TEST_F(Commands, SayWhoTheyAreAndWhatTheyTake) {
  const auto version = tocsin({"version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.output, StartsWith("tocsin "));
  EXPECT_EQ(tocsin({"--version"}).output, version.output);
  const std::vector<std::vector<std::string>> helps{{"--help"},
                                                    {"run", "--help"},
                                                    {"check", "--help"},
                                                    {"incident", "--help"},
                                                    {"incident", "close", "--help"},
                                                    {"queue", "--help"},
                                                    {"drill", "--help"}};
  for (const auto& words : helps) {
    const auto help = tocsin(words);
    EXPECT_EQ(help.code, 0) << words.front();
    EXPECT_THAT(help.output, HasSubstr("Usage:"));
    EXPECT_THAT(help.output, HasSubstr("Examples:"));
  }
  EXPECT_THAT(tocsin({"--help"}).output, HasSubstr("--config"));
}

TEST_F(Commands, ThatDoNotExistAreUsageErrors) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"frobnicate"}, {}, {"incident", "ack"}, {"check", "--nope"}})
    EXPECT_EQ(tocsin(words).code, 2) << (words.empty() ? "" : words.front());
}

TEST_F(Commands, WithoutAnAgentSaySo) {
  agent_.configure("checks:\n" + target_.check());
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"incident", "list"}, {"queue", "list"}, {"status"}, {"drill"}, {"notify", "test"}}) {
    const auto answer = agent_.command(words);
    EXPECT_EQ(answer.code, 4) << words.front();
    EXPECT_THAT(answer.errors, HasSubstr("is it running"));
  }
}

/// With an agent and receivers.
class Talking : public ::testing::Test {
 protected:
  void SetUp() override {
    agent_.configure("checks:\n" + target_.check(), "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return agent_.get("/-/ready").status == 200; }));
  }
  std::string open() {
    target_.breach();
    const auto id = text_at(agent_.wait_for_incident("shop", "open"), "id");
    EXPECT_TRUE(eventually([&] { return agent_.get("/api/v1/outbox").json() == json::array{}; }));
    return id;
  }

  Target target_{"shop"};
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(Talking, IncidentsAreListedShownAndWorkedOn) {
  EXPECT_THAT(agent_.command({"incident", "list"}).output,
              HasSubstr("No incident that is not closed"));
  const auto id = open();
  EXPECT_THAT(agent_.command({"incident", "list"}).output, HasSubstr("#issue-shop-"));
  EXPECT_EQ(text_at(agent_.ask({"incident", "list"}), 0, "id"), id);
  const auto shown = agent_.command({"incident", "show", id});
  EXPECT_EQ(shown.code, 0);
  for (const auto& field : summary_field_names())
    EXPECT_THAT(shown.output, HasSubstr(std::string{field.title}));

  EXPECT_EQ(text_at(agent_.ask({"incident", "ack", id, "--by", "jane"}), "state"), "acknowledged");
  EXPECT_TRUE(receivers_.wait_until([](const json::value& state) {
    return text_at(state, "pagerduty", "alerts", 0, "state") == "acknowledged";
  }));
  const auto set = agent_.ask({"incident", "set", id, "current_step=failing over", "type=vendor"});
  EXPECT_EQ(text_at(set, "summary", "current_step"), "failing over");
  EXPECT_EQ(text_at(set, "summary", "type"), "Vendor");
  EXPECT_EQ(agent_.command({"incident", "say", id, "the disk was swapped"}).code, 0);
  EXPECT_TRUE(receivers_.wait_until([](const json::value& state) {
    const auto all = json::serialize(at(state, "slack", "channels"));
    return all.find("the disk was swapped") != std::string::npos &&
           all.find("failing over") != std::string::npos;
  }));
  EXPECT_THAT(agent_.command({"incident", "show", id}).output, HasSubstr("the disk was swapped"));

  const auto typo = agent_.command({"incident", "set", id, "curent_step=x"});
  EXPECT_EQ(typo.code, 1);
  EXPECT_THAT(typo.errors, HasSubstr("did you mean \"current_step\"?"));
  EXPECT_EQ(agent_.command({"incident", "set", id, "nonsense"}).code, 2);
  const auto unknown = agent_.command({"incident", "show", "zzzzz"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("no incident matches"));
}

TEST_F(Talking, TheQueueIsListedRetriedAndDropped) {
  receivers_.down("slack");
  target_.breach();
  agent_.wait_for_incident("shop", "open");
  json::value entry;
  ASSERT_TRUE(eventually([&] {
    const auto queue = agent_.get("/api/v1/outbox").json();
    for (const auto& each : items(queue))
      if (text_at(each, "effect") == "create_channel" && text_at(each, "last_error") != "")
        entry = each;
    return !entry.is_null();
  })) << agent_.get("/api/v1/outbox").body;
  const auto id = text_at(entry, "id");
  const auto listed = agent_.command({"queue", "list"});
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.output, HasSubstr("slack"));
  receivers_.clear();
  const auto retried = agent_.command({"queue", "retry", id});
  EXPECT_TRUE(retried.code == 0 || retried.errors.find("being delivered") != std::string::npos)
      << retried.errors;
  EXPECT_TRUE(
      eventually([&] { return agent_.get("/api/v1/outbox").json() == json::array{}; }, 60s));
  EXPECT_THAT(agent_.command({"queue", "list"}).output, HasSubstr("outbox is empty"));
  EXPECT_EQ(agent_.command({"queue", "retry", "987654"}).code, 1);

  receivers_.down("slack");
  const auto incident = text_at(agent_.incidents(), 0, "id");
  EXPECT_EQ(agent_.command({"incident", "say", incident, "to nobody"}).code, 0);
  std::string waiting;
  ASSERT_TRUE(eventually([&] {
    const auto queue = agent_.get("/api/v1/outbox").json();
    for (const auto& each : items(queue))
      if (text_at(each, "effect") == "post" && text_at(each, "state") == "queued")
        waiting = text_at(each, "id");
    return !waiting.empty();
  })) << agent_.get("/api/v1/outbox").body;
  EXPECT_EQ(agent_.command({"queue", "drop", waiting}).code, 0);
  EXPECT_EQ(agent_.command({"queue", "drop", waiting}).code, 1) << "it is gone";
}

TEST_F(Talking, ADrillGoesFromEndToEndAndClosesByItself) {
  const auto answer = agent_.ask({"drill", "--for", "1s"});
  const auto id = text_at(answer, "id");
  const auto opened = text_at(answer, "opened_at");
  const auto name = text_at(answer, "channel", "name");
  EXPECT_EQ(name, "issue-drill-" + opened.substr(8, 2) + opened.substr(5, 2));
  EXPECT_EQ(text_at(answer, "drill"), "true");
  for (const auto* field : {"environment", "component", "frequency", "source"})
    EXPECT_NE(text_at(answer, "summary", field), "UNKNOWN") << field;
  const auto closed = eventually(
      [&] {
        const auto state = text_at(agent_.incident(id), "state");
        return state == "closed" || state == "archived";
      },
      60s);
  EXPECT_TRUE(closed) << json::serialize(agent_.incident(id));
  ASSERT_TRUE(receivers_.wait_until([](const json::value& state) {
    return text_at(state, "pagerduty", "alerts", 0, "state") == "resolved";
  }));
  const auto state = receivers_.state();
  const auto& channel = FakeReceivers::channel(state, name);
  EXPECT_THAT(text_at(channel, "topic"), HasSubstr("DRILL"));
  EXPECT_THAT(text_at(channel, "purpose"), HasSubstr("DRILL"));
  for (const auto& message : items(at(channel, "messages"))) {
    if (at(message, "metadata").is_null()) continue;  // Slack's own lines.
    EXPECT_THAT(json::serialize(message), HasSubstr("DRILL"));
  }
  EXPECT_THAT(text_at(state, "pagerduty", "alerts", 0, "summary"), StartsWith("DRILL"));
}

TEST_F(Talking, NotifyTestProvesTheCredentials) {
  const auto good = agent_.command({"notify", "test"});
  EXPECT_EQ(good.code, 0) << good.output << good.errors;
  EXPECT_THAT(good.output, HasSubstr("slack"));
  EXPECT_THAT(good.output, HasSubstr("pagerduty/sre"));
  EXPECT_EQ(agent_.command({"notify", "test", "nobody"}).code, 1);
  agent_.folder().write("slack.token", "xoxb-wrong\n");
  ASSERT_EQ(agent_.post("/-/reload").status, 200);
  const auto bad = agent_.command({"notify", "test", "slack"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.output, HasSubstr("invalid_auth"));
  EXPECT_THAT(bad.output + bad.errors, Not(HasSubstr("xoxb-wrong")));
  EXPECT_THAT(json::serialize(agent_.incidents()), Not(HasSubstr("\"state\":\"open\"")))
      << "it opens nothing";
}

}  // namespace
}  // namespace tocsin::integration
