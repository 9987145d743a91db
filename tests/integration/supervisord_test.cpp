// A real supervisord: a program that it gives up, one that is killed, one that somebody stops, its
// own death, and a password that is no longer right.
#include "tests/integration/supervisord.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/serialize.hpp>
#include <filesystem>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Supervised : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Supervisord::installed())
      GTEST_SKIP() << "supervisord is not installed: apt-get install " << Supervisord::package;
    mend();
    supervisord_.start();
    ASSERT_TRUE(eventually([&] { return supervisord_.is("shop:web", "RUNNING"); }));
    ASSERT_TRUE(eventually([&] { return supervisord_.is("shop:mailer", "RUNNING"); }));
  }
  void TearDown() override { supervisord_.clear_up(); }

  /// Whether the web program finds what it needs when it is started.
  void mend() const { programs_.write("well", ""); }
  void spoil() const { std::filesystem::remove(programs_ / "well"); }

  /// A program that says why and ends when it lacks what it needs, and another beside it.
  std::string sections() const {
    const auto script = programs_.write(
        "web.sh",
        "[ -e " + (programs_ / "well") +
            " ] && exec sleep 3600\necho 'reading settings' >&2\necho 'panic: cannot bind "
            "port 8080' >&2\nexit 3\n");
    return "[program:web]\ncommand=/bin/sh " + script +
           "\nstartretries=0\n[program:mailer]\ncommand=/bin/sleep 3600\n[program:spare]\n"
           "command=/bin/sleep 3600\nautostart=false\n[group:shop]\nprograms=web,mailer,spare\n";
  }

  /// Starts the agent with one check of this supervisord, by the name of `workers`.
  void watch(const std::string& keys) {
    agent_.configure(
        "checks:\n  - name: workers\n    type: supervisord\n    every: 500ms\n" + keys +
            "    critical: [program_up < 1 for 4s, up < 1 for 4s]\n    clear: up >= 1\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("reachable") >= 0; }));
  }
  void watch_the_socket(const std::string& more = "") {
    watch("    unix_socket: " + supervisord_.unix_socket() + "\n" + more);
  }

  /// A sample as the API shows it, -1 when there is none.
  double sample(const std::string& name, const std::string& instance = "") const {
    for (const auto& check : items(agent_.get("/api/v1/checks").json()))
      for (const auto& each : items(at(check, "samples")))
        if (text_at(each, "name") == name && text_at(each, "instance") == instance)
          return at(each, "value").to_number<double>();
    return -1;
  }
  /// The open incident once its evidence is there.
  json::value breach() {
    const auto id = text_at(agent_.wait_for_incident("workers", "open", 40s), "id");
    json::value incident;
    EXPECT_TRUE(eventually([&] {
      incident = agent_.incident(id);
      return !items(at(incident, "alerts", 0, "evidence", "lines")).empty();
    })) << json::serialize(incident);
    return incident;
  }
  static std::string evidence_of(const json::value& incident, std::size_t line) {
    return text_at(incident, "alerts", 0, "evidence", "lines", line);
  }
  static std::string cause_of(const json::value& incident) {
    return text_at(incident, "summary", "probable_cause");
  }

  Folder programs_;
  Supervisord supervisord_{sections()};
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

TEST_F(Supervised, AProgramThatIsGivenUpPagesWithItsLastWords) {
  watch_the_socket();
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  EXPECT_EQ(sample("program_up", "shop:web"), 1);
  EXPECT_EQ(sample("state", "shop:spare"), 0) << "it was never started";
  EXPECT_EQ(sample("program_up", "shop:spare"), -1) << "which is neither up nor down";
  EXPECT_EQ(sample("programs"), 3);

  spoil();
  kill(supervisord_.pid_of("shop:web"), SIGKILL);
  const auto incident = breach();
  EXPECT_THAT(text_at(incident, "title"),
              HasSubstr("CRITICAL: workers on web-1: program_up 0 < 1 (shop:web)"));
  EXPECT_EQ(evidence_of(incident, 0),
            "shop:web is FATAL, supervisord has given up: Exited too quickly (process log may have "
            "details); started again 1x in the last 10m");
  EXPECT_EQ(evidence_of(incident, 1), "the end of what shop:web wrote to its standard error:");
  EXPECT_EQ(evidence_of(incident, 2), "\"reading settings\"");
  EXPECT_EQ(evidence_of(incident, 3), "\"panic: cannot bind port 8080\"");
  EXPECT_THAT(cause_of(incident), HasSubstr("shop:web is FATAL"));
  EXPECT_THAT(cause_of(incident), HasSubstr("its last words: \"panic: cannot bind port 8080\""));
  EXPECT_EQ(sample("fatal"), 1);
  EXPECT_EQ(sample("state", "shop:web"), 200);
  EXPECT_EQ(sample("program_up", "shop:mailer"), 1);
  ASSERT_TRUE(receivers_.wait_until(
      [](const json::value& state) { return !items(at(state, "pagerduty", "events")).empty(); }));
  const auto page = json::serialize(at(receivers_.state(), "pagerduty", "events", 0, "body"));
  EXPECT_THAT(page, HasSubstr("program_up 0 < 1 (shop:web)"));
  EXPECT_THAT(page, HasSubstr("panic: cannot bind port 8080"));

  mend();
  EXPECT_EQ(supervisord_.control({"start", "shop:web"}).code, 0);
  const auto over = agent_.wait_for_incident("workers", "resolved", 40s);
  EXPECT_EQ(text_at(over, "summary", "recovery_estimate"), "recovered");
  EXPECT_EQ(sample("up"), 1);
}

TEST_F(Supervised, AProgramThatComesBackByItselfIsARestartAndOneThatIsStoppedNoAlarm) {
  watch_the_socket("    confirm_every: 200ms\n");
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  kill(supervisord_.pid_of("shop:mailer"), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    return sample("restarts", "shop:mailer") == 1 && sample("program_up", "shop:mailer") == 1;
  }));
  EXPECT_EQ(sample("restarts", "shop:web"), 0);

  EXPECT_EQ(supervisord_.control({"stop", "shop:mailer"}).code, 0);
  EXPECT_TRUE(eventually([&] { return sample("stopped") == 1; }));
  EXPECT_EQ(sample("state", "shop:mailer"), 0);
  EXPECT_EQ(sample("program_up", "shop:mailer"), -1);
  EXPECT_EQ(sample("up"), 1);
  EXPECT_TRUE(items(agent_.incidents()).empty()) << json::serialize(agent_.incidents());
}

TEST_F(Supervised, AKilledSupervisordPagesThoughItsProgramsRun) {
  watch_the_socket();
  ASSERT_TRUE(eventually([&] { return sample("up") == 1; }));
  supervisord_.kill();
  const auto incident = breach();
  EXPECT_THAT(text_at(incident, "title"), HasSubstr("workers on web-1: up 0 < 1"));
  EXPECT_EQ(evidence_of(incident, 0),
            "connect to " + supervisord_.unix_socket() + " failed: Connection refused");
  EXPECT_THAT(evidence_of(incident, 1), HasSubstr("with 2 of 3 watched programs RUNNING; while it "
                                                  "is away nothing restarts them"));
  EXPECT_THAT(cause_of(incident), HasSubstr("Connection refused"));
  EXPECT_EQ(sample("reachable"), 0);

  supervisord_.clear_up();
  supervisord_.start();
  agent_.wait_for_incident("workers", "resolved", 40s);
  EXPECT_EQ(sample("reachable"), 1);
}

TEST_F(Supervised, AWrongPasswordAndAMissingProgramAreSaid) {
  const auto secret = agent_.folder().write("password", Supervisord::password);
  const auto keys = "    url: " + supervisord_.url() +
                    "\n    username: ops\n    password: {file: " + secret + "}\n";
  watch(keys + "    programs: [shop:web, reports]\n");
  const auto missing = breach();
  EXPECT_THAT(text_at(missing, "title"), HasSubstr("program_up 0 < 1 (reports)"));
  EXPECT_EQ(evidence_of(missing, 0),
            "supervisord has no program \"reports\": it was removed or renamed, or `supervisorctl "
            "update` is due");
  EXPECT_EQ(sample("reachable"), 1) << "the password is right so far";
  EXPECT_EQ(sample("program_up", "shop:web"), 1);
  agent_.stop();

  agent_.folder().write("password", "not-" + std::string{Supervisord::password});
  agent_.configure("checks:\n  - name: refused\n    type: supervisord\n    every: 500ms\n" + keys +
                   "    critical: up < 1\n");
  agent_.start();
  const auto id = text_at(agent_.wait_for_incident("refused", "open"), "id");
  const auto sentence = "supervisord at 127.0.0.1:" + supervisord_.url().substr(17) +
                        " refused this user name and password (status 401)";
  EXPECT_TRUE(eventually([&] { return cause_of(agent_.incident(id)) == sentence; }))
      << json::serialize(agent_.incident(id));
  for (const auto& text :
       {json::serialize(agent_.incident(id)), json::serialize(receivers_.state()),
        agent_.get("/metrics").body, agent_.program().text()}) {
    EXPECT_THAT(text, Not(HasSubstr(Supervisord::password)));
    EXPECT_THAT(text, Not(HasSubstr("b3BzOm")));
  }
}

}  // namespace
}  // namespace tocsin::integration
