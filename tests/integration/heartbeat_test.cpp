// Jobs that report to the real agent, as crontabs have them: `tocsin beat NAME -- COMMAND`, and
// curl.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Heartbeats : public ::testing::Test {
 protected:
  void configure(const std::string& keys) {
    agent_.configure("checks:\n  - {name: nightly, type: heartbeat, every: 200ms, " + keys +
                         ", clear: up >= 1}\n  - {name: load, type: load}\n",
                     "  recover_hold: 1s\n");
  }
  /// `tocsin beat` with these words.
  std::vector<std::string> words(std::vector<std::string> more) const {
    std::vector<std::string> all{Agent::binary(), "--config", agent_.config_path(), "beat"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Answer beat(std::vector<std::string> more) const { return run(words(std::move(more))); }
  /// The same, with a job written for a shell.
  Answer job(const std::string& script) const {
    return beat({"nightly", "--", "/bin/sh", "-c", script});
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_heartbeat_" + name + "{check=\"nightly\"}");
  }
  bool becomes(const std::string& name, double value) const {
    return eventually([&] { return sample(name) == value; });
  }
  Response over_socket(const std::string& target, const std::string& body = "",
                       const std::string& method = "POST") const {
    return ask_unix(agent_.state_dir() + "/control.sock",
                    {.method = method,
                     .target = target,
                     .body = body,
                     .headers = {{"content-type", "text/plain"}}});
  }
  /// All that is told of the open incident.
  std::string open_incident() {
    const auto open = agent_.wait_for_incident("nightly", "open");
    title_ = text_at(open, "title");
    cause_ = text_at(open, "summary", "probable_cause");
    return json::serialize(at(agent_.incident(text_at(open, "id")), "alerts"));
  }

  Agent agent_;
  std::string title_, cause_;
};

TEST_F(Heartbeats, AJobThatStopsToReportIsMissed) {
  configure("period: 1s, grace: 2s");
  agent_.start();
  EXPECT_EQ(beat({"nightly"}).code, 0);
  EXPECT_TRUE(becomes("up", 1));
  const auto evidence = open_incident();
  EXPECT_THAT(title_, HasSubstr("missed 1 >= 1"));
  EXPECT_THAT(cause_, AllOf(StartsWith("it was due "),
                            HasSubstr("and did not report; it last ended well ")));
  EXPECT_THAT(evidence, HasSubstr("UTC ok"));
  // It reports again, and does not stop.
  const auto resolved = eventually([&] {
    over_socket("/beat/nightly");
    return text_at(agent_.incidents(), 0, "state") == "resolved";
  });
  EXPECT_TRUE(resolved) << json::serialize(agent_.incidents());
}

TEST_F(Heartbeats, AJobThatFailsIsToldWithItsExitCodeAndItsWords) {
  configure("cron: \"0 3 * * *\"");
  agent_.start();
  const auto failed = job("echo copied; echo 'disk is full' >&2; exit 3");
  EXPECT_EQ(failed.code, 3);
  EXPECT_EQ(failed.output, "copied\n");
  EXPECT_EQ(failed.errors, "disk is full\n");
  const auto evidence = open_incident();
  EXPECT_THAT(title_, HasSubstr("exit_code 3 != 0"));
  EXPECT_THAT(cause_,
              AllOf(StartsWith("its last run failed "), HasSubstr("with exit code 3 after ")));
  EXPECT_THAT(evidence, AllOf(HasSubstr("UTC exit code 3 after "), HasSubstr("UTC start (run ")));
  agent_.stop();
  agent_.start();
  EXPECT_TRUE(becomes("exit_code", 3)) << "a restart forgets nothing";
  EXPECT_EQ(sample("up"), 0);
  EXPECT_EQ(job("exit 0").code, 0);
  agent_.wait_for_incident("nightly", "resolved");
  EXPECT_EQ(sample("exit_code"), 0);
}

TEST_F(Heartbeats, AJobThatHangsIsToldWhileItRunsAcrossARestart) {
  configure("on_calendar: daily, max_run: 2s");
  agent_.start();
  Program hanging{words({"nightly", "--run", "r17", "--", "/bin/sleep", "600"})};
  ASSERT_TRUE(becomes("running", 1));
  agent_.stop();
  agent_.start();
  const auto evidence = open_incident();
  EXPECT_THAT(title_, HasSubstr("unfinished 1 >= 1"));
  EXPECT_THAT(cause_, AllOf(StartsWith("the run that started "),
                            HasSubstr(" has not finished: it has run for "),
                            HasSubstr(" and may take 2s")));
  EXPECT_THAT(evidence, AllOf(HasSubstr("running for "), HasSubstr("(run r17)")));
  // Somebody ends it: the job is told, not only the one who waits for it.
  hanging.signal(SIGTERM);
  EXPECT_EQ(hanging.wait_for_exit(), (Exit{128 + SIGTERM, 0}));
  EXPECT_TRUE(becomes("exit_code", 128 + SIGTERM));
  EXPECT_EQ(sample("running"), 0);
  EXPECT_EQ(job("true").code, 0);
  agent_.wait_for_incident("nightly", "resolved");
}

TEST_F(Heartbeats, TheJobRunsAndKeepsItsExitCodeWithoutAnAgent) {
  configure("period: 1h");
  const auto answer = job("cat; echo done; exit 7");
  EXPECT_EQ(answer.code, 7);
  EXPECT_EQ(answer.output, "done\n");
  EXPECT_THAT(answer.errors, AllOf(StartsWith("tocsin beat nightly: not reported: the agent does "
                                              "not answer on "),
                                   HasSubstr("control.sock")));
  EXPECT_EQ(std::count(answer.errors.begin(), answer.errors.end(), '\n'), 1) << answer.errors;
  EXPECT_EQ(job("kill -9 $$").code, 128 + SIGKILL);
  EXPECT_EQ(beat({"nightly", "--", "/nonexistent/job"}).code, 127);
  EXPECT_EQ(beat({"nightly", "--", "/etc/passwd"}).code, 126);
  EXPECT_EQ(beat({"nightly", "--start"}).code, 0) << "a script goes on";
  agent_.folder().write("tocsin.yaml", "checks: [");
  EXPECT_EQ(job("exit 5").code, 5) << "nor does a bad configuration matter";
}

TEST_F(Heartbeats, AnAgentThatWasDownFindsTheBeatsWhenItStarts) {
  configure("period: 1h");
  agent_.start();
  ASSERT_TRUE(becomes("up", 1));
  agent_.stop();
  const auto failed = beat({"nightly", "--note", "tape is full", "--", "/bin/sh", "-c", "exit 6"});
  EXPECT_EQ(failed.code, 6);
  EXPECT_THAT(failed.errors, HasSubstr("it will find the beat in " + agent_.state_dir()));
  EXPECT_EQ(std::count(failed.errors.begin(), failed.errors.end(), '\n'), 1) << failed.errors;
  agent_.folder().write("state/beats/0-rubbish.json", "{]");
  agent_.start();
  EXPECT_TRUE(becomes("exit_code", 6));
  EXPECT_EQ(sample("running"), 0);
  EXPECT_THAT(open_incident(), HasSubstr("said: tape is full"));
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::is_empty(std::filesystem::path{agent_.state_dir()} / "beats");
  })) << "they are taken once";
}

TEST_F(Heartbeats, AnAgentThatHangsHoldsTheJobUpForAMomentOnly) {
  configure("period: 1h");
  // Somebody who accepts and says nothing.
  mkdir(agent_.state_dir().c_str(), 0700);
  const auto path = agent_.state_dir() + "/control.sock";
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  const auto begun = steady_now();
  EXPECT_EQ(job("exit 4").code, 4);
  EXPECT_LT(steady_now() - begun, 10s);
  close(listener);
}

TEST_F(Heartbeats, AnyProgramMayReportOverTheSocketAndNotOverTcp) {
  configure("period: 1h");
  agent_.start();
  EXPECT_EQ(over_socket("/beat/nightly/start?rid=a").status, 200);
  EXPECT_TRUE(becomes("running", 1));
  EXPECT_EQ(over_socket("/beat/nightly/log?rid=a", "half done").status, 200);
  EXPECT_EQ(over_socket("/beat/nightly/exit/2?rid=a&took=90s", "password=x\nno space left").status,
            200);
  EXPECT_TRUE(becomes("exit_code", 2));
  EXPECT_EQ(sample("run_seconds"), 90) << "as the job measured it";
  EXPECT_THAT(open_incident(), HasSubstr("said: no space left"));
  const auto json = agent_.post("/beat/nightly/ok", json::object{{"rid", "b"}, {"took", "5s"}});
  EXPECT_EQ(json.status, 200) << json.body;
  EXPECT_TRUE(becomes("up", 1));
  EXPECT_EQ(over_socket("/beat/nightly/fail").status, 200);
  EXPECT_TRUE(becomes("up", 0));

  const auto unknown = over_socket("/beat/nihgtly");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("did you mean \\\"nightly\\\"?"));
  EXPECT_THAT(over_socket("/beat/load").body, HasSubstr("of type load: only a heartbeat"));
  EXPECT_EQ(over_socket("/beat/nightly/exit/256").status, 400);
  EXPECT_EQ(over_socket("/beat/nightly?took=90").status, 400);
  EXPECT_EQ(over_socket("/beat/nightly?rid=" + std::string(65, 'r')).status, 400);
  EXPECT_EQ(over_socket("/beat/nightly", "", "GET").status, 405);
  EXPECT_EQ(ask_tcp(agent_.address(), {.method = "POST", .target = "/beat/nightly"}).status, 403);
  EXPECT_EQ(beat({"nihgtly"}).code, 1);
  EXPECT_THAT(beat({"nihgtly"}).errors, HasSubstr("did you mean"));
}

TEST_F(Heartbeats, WhatTheAgentSaidYesToSurvivesItsDeath) {
  configure("period: 1h");
  agent_.start();
  ASSERT_EQ(over_socket("/beat/nightly/exit/9").status, 200);
  agent_.kill();
  agent_.start();
  EXPECT_TRUE(becomes("exit_code", 9));
}

TEST_F(Heartbeats, TheCommandExplainsItself) {
  const auto help = beat({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("--start"), HasSubstr("Examples:"), HasSubstr("curl")));
  EXPECT_EQ(beat({}).code, 2);
  EXPECT_EQ(beat({"nightly", "--start", "--fail"}).code, 2);
  EXPECT_EQ(beat({"nightly", "--exit", "256"}).code, 2);
  EXPECT_EQ(beat({"nightly", "--fail", "--", "/bin/true"}).code, 2);
}

}  // namespace
}  // namespace tocsin::integration
