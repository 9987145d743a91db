#include "checks/supervisord.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/fake_supervisord.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tests/unit/checks/supervisord_xml.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using namespace checks_test;
using fakes::value_of;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Supervised {
  FakeSupervisord supervisord{};
  fakes::FakeHost host{&supervisord};

  void has(const std::vector<SupervisedProgram>& programs) {
    supervisord.answers[list_method] = list_answer(programs);
  }
};

class OnePassword final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override { return Secret{"hunter2"}; }
  Result<Secret> from_env(const std::string&) const override { return Secret{"hunter2"}; }
  Result<Secret> from_credential(const std::string&) const override { return Secret{"hunter2"}; }
};

std::unique_ptr<Check> made_with_password(const Node& map) {
  Complaints complaints;
  const OnePassword secrets;
  Decoding decoding{complaints, secrets, {}};
  auto check = supervisord_check().build("test", map, decoding);
  if (check == nullptr) throw std::invalid_argument{complaints.all().front().message};
  return check;
}

TEST(SupervisordCheck, ProgramsThatRunAreUp) {
  Supervised world;
  world.has({program_of("mailer"), program_of("web", ProgramState::running, "shop")});
  const auto check = made(supervisord_check());
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples),
              ElementsAre("total_seconds", "reachable", "up", "fatal", "stopped", "programs",
                          "program_up[mailer]", "state[mailer]", "restarts[mailer]",
                          "uptime_seconds[mailer]", "program_up[shop:web]", "state[shop:web]",
                          "restarts[shop:web]", "uptime_seconds[shop:web]"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 1);
  EXPECT_EQ(value_of(*check, *samples, "reachable"), 1);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "shop:web"), 1);
  EXPECT_EQ(value_of(*check, *samples, "state", "shop:web"), 20);
  EXPECT_EQ(value_of(*check, *samples, "uptime_seconds", "shop:web"), 60);
  EXPECT_EQ(value_of(*check, *samples, "programs"), 2);
  EXPECT_EQ(value_of(*check, *samples, "total_seconds"), 0.003);
  EXPECT_THAT(world.host.evidence(*check).lines, IsEmpty());
}

TEST(SupervisordCheck, AsksAsConfigured) {
  Supervised world;
  world.has({});
  ASSERT_TRUE(world.host.run(*made(supervisord_check())));
  const auto& usual = world.supervisord.asked.at(0);
  EXPECT_EQ(usual.method, "POST");
  EXPECT_EQ(usual.unix_socket, "/var/run/supervisor.sock");
  EXPECT_EQ(usual.url.target, "/RPC2");
  EXPECT_EQ(usual.headers.at(0).second, "text/xml");
  EXPECT_EQ(usual.headers.size(), 1u);
  EXPECT_EQ(usual.reuse, Reuse::fresh);
  EXPECT_EQ(usual.response_bytes_max, checks::supervisord_reply_bytes_max);
  EXPECT_LT(usual.deadline, world.host.clock.steady() + 5s);

  const auto over_tcp = made_with_password(map_of({{"url", word("http://127.0.0.1:9001")},
                                                   {"username", word("ops")},
                                                   {"password", map_of({{"env", word("P")}})}}));
  ASSERT_TRUE(world.host.run(*over_tcp));
  const auto& tcp = world.supervisord.asked.at(1);
  EXPECT_EQ(tcp.unix_socket, "");
  EXPECT_EQ(tcp.url.port, 9001);
  EXPECT_EQ(tcp.url.target, "/RPC2");
  EXPECT_EQ(tcp.headers.at(1).second, "Basic b3BzOmh1bnRlcjI=");

  const auto behind =
      made(supervisord_check(), map_of({{"url", word("https://ops.example/sv/RPC2")},
                                        {"tls", map_of({{"ca_file", word("/ca.pem")}})}}));
  ASSERT_TRUE(world.host.run(*behind));
  EXPECT_EQ(world.supervisord.asked.at(2).url.target, "/sv/RPC2");
  EXPECT_EQ(world.supervisord.asked.at(2).tls.ca_file, "/ca.pem");
}

TEST(SupervisordCheck, EveryStateButRunningIsDown) {
  for (const auto state : {ProgramState::starting, ProgramState::backoff, ProgramState::stopping,
                           ProgramState::exited, ProgramState::fatal, ProgramState::unknown}) {
    Supervised world;
    world.has({program_of("well"), program_of("ill", state)});
    const auto check = made(supervisord_check());
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_EQ(value_of(*check, *samples, "up"), 0) << to_string(state);
    EXPECT_EQ(value_of(*check, *samples, "reachable"), 1);
    EXPECT_EQ(value_of(*check, *samples, "program_up", "ill"), 0) << to_string(state);
    EXPECT_EQ(value_of(*check, *samples, "program_up", "well"), 1);
    EXPECT_EQ(value_of(*check, *samples, "state", "ill"), static_cast<double>(state));
    EXPECT_EQ(value_of(*check, *samples, "uptime_seconds", "ill"), std::nullopt);
    EXPECT_EQ(value_of(*check, *samples, "fatal"), state == ProgramState::fatal ? 1 : 0);
  }
}

TEST(SupervisordCheck, AStoppedProgramIsNeitherUpNorDownUnlessItIsSaid) {
  Supervised world;
  auto never = program_of("never", ProgramState::stopped);
  never.start = 0;
  world.has({program_of("halted", ProgramState::stopped), never});
  const auto lenient = made(supervisord_check());
  auto samples = world.host.run(*lenient);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*lenient, *samples, "up"), 1);
  EXPECT_EQ(value_of(*lenient, *samples, "program_up", "halted"), std::nullopt);
  EXPECT_EQ(value_of(*lenient, *samples, "state", "halted"), 0);
  EXPECT_EQ(value_of(*lenient, *samples, "stopped"), 1) << "one was never started";
  const auto strict = made(supervisord_check(), map_of({{"stopped", word("down")}}));
  samples = world.host.run(*strict);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*strict, *samples, "up"), 0);
  EXPECT_EQ(value_of(*strict, *samples, "program_up", "halted"), 0);
  EXPECT_EQ(value_of(*strict, *samples, "program_up", "never"), 0);
}

TEST(SupervisordCheck, AProgramThatIsNotThereIsDownAndSaidToBe) {
  Supervised world;
  world.has({program_of("web", ProgramState::running, "shop"), program_of("other")});
  const auto check =
      made(supervisord_check(), map_of({{"programs", list_of({"shop:*", "mailer", "queue:*"})}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "programs"), 1);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "mailer"), 0);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "queue:*"), 0);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "shop:web"), 1);
  EXPECT_EQ(value_of(*check, *samples, "state", "mailer"), std::nullopt);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "other"), std::nullopt);
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr("has no program \"mailer\""),
                                          HasSubstr("has no program \"queue:*\"")));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("supervisorctl update"));
}

TEST(SupervisordCheck, OneProgramMayBeNamedWithoutAListAndOthersLeftOut) {
  Supervised world;
  world.has({program_of("a", ProgramState::fatal), program_of("b")});
  const auto one = made(supervisord_check(), map_of({{"programs", word("b")}}));
  EXPECT_EQ(value_of(*one, *world.host.run(*one), "up"), 1);
  const auto rest = made(supervisord_check(), map_of({{"except", word("a")}}));
  EXPECT_EQ(value_of(*rest, *world.host.run(*rest), "up"), 1);
}

TEST(SupervisordCheck, RestartsAreCounted) {
  Supervised world;
  auto program = program_of("a");
  const auto check = made(supervisord_check());
  world.has({program});
  ASSERT_TRUE(world.host.run(*check));
  for (int i = 1; i <= 3; ++i) {
    program.start += 10;
    program.pid += 1;
    world.has({program});
    world.host.clock.advance(10s);
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples);
    EXPECT_EQ(value_of(*check, *samples, "restarts", "a"), i);
  }
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines.at(0),
              AllOf(HasSubstr("a is RUNNING"), HasSubstr("started again 3x in the last 10m")));
}

TEST(SupervisordCheck, EvidenceHasTheStateAndTheLastWordsOfWhatIsDown) {
  Supervised world;
  auto crasher = program_of("crasher", ProgramState::fatal, "shop");
  crasher.spawn_error = "Exited too quickly (process log may have details)";
  world.has({program_of("well"), crasher});
  world.supervisord.answers[error_log_method] =
      answer_of(xml_text("starting\npanic: no &lt;port&gt;\n"));
  const auto check = made(supervisord_check());
  ASSERT_TRUE(world.host.run(*check));
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines,
              ElementsAre("shop:crasher is FATAL, supervisord has given up: Exited too quickly "
                          "(process log may have details)",
                          "the end of what shop:crasher wrote to its standard error:",
                          "\"starting\"", "\"panic: no <port>\""));
  EXPECT_THAT(evidence.probable_cause, AllOf(HasSubstr("shop:crasher is FATAL"),
                                             HasSubstr("its last words: \"panic: no <port>\"")));
  const auto& asked = world.supervisord.asked.back();
  EXPECT_THAT(asked.body, HasSubstr("<string>shop:crasher</string>"));
  EXPECT_LT(asked.response_bytes_max, 32u << 10);
}

TEST(SupervisordCheck, WhereErrorsGoIntoTheOtherLogThatOneIsRead) {
  Supervised world;
  auto program = program_of("a", ProgramState::backoff);
  program.has_stderr_log = false;
  world.has({program});
  world.supervisord.answers[output_log_method] = answer_of(xml_text("no space left\n"));
  const auto check = made(supervisord_check());
  ASSERT_TRUE(world.host.run(*check));
  EXPECT_THAT(
      world.host.evidence(*check).lines,
      ElementsAre(HasSubstr("BACKOFF"), HasSubstr("standard output:"), "\"no space left\""));
}

TEST(SupervisordCheck, EvidenceDoesWithoutALogThatCannotBeRead) {
  const std::string answers[] = {fault_answer(20, "NO_FILE"), answer_of(xml_text("")), "<html>",
                                 answer_of(xml_number(3)), ""};
  for (const auto& answer : answers) {
    Supervised world;
    world.has({program_of("a", ProgramState::fatal)});
    world.supervisord.answers[error_log_method] = answer;
    const auto check = made(supervisord_check());
    ASSERT_TRUE(world.host.run(*check));
    EXPECT_THAT(world.host.evidence(*check).lines, ElementsAre(HasSubstr("a is FATAL")));
    EXPECT_EQ(world.supervisord.asked.size(), 3u) << "the other log was asked for, too";
    world.supervisord.fail(Errc::disconnected, "gone");
    EXPECT_THAT(world.host.evidence(*check).lines, ElementsAre(HasSubstr("a is FATAL")));
  }
}

TEST(SupervisordCheck, AnUnreachableSupervisordIsDownWithThePhase) {
  Supervised world;
  const auto check = made(supervisord_check());
  world.supervisord.fail(Errc::unreachable,
                         "connect to /var/run/supervisor.sock failed: Connection refused");
  auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_THAT(names_of(*check, *samples), ElementsAre("total_seconds", "reachable", "up"));
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_EQ(value_of(*check, *samples, "reachable"), 0);
  EXPECT_THAT(world.host.evidence(*check).lines,
              ElementsAre(HasSubstr("Connection refused"), HasSubstr("has not answered since")));

  world.supervisord.failure.reset();
  world.has({program_of("a"), program_of("b", ProgramState::fatal)});
  samples = world.host.run(*check);
  EXPECT_EQ(value_of(*check, *samples, "reachable"), 1);
  world.host.clock.advance(12s);
  world.supervisord.fail(Errc::timed_out, "no answer from /var/run/supervisor.sock after 4.9s");
  ASSERT_TRUE(world.host.run(*check));
  const auto evidence = world.host.evidence(*check);
  EXPECT_THAT(evidence.lines, ElementsAre(HasSubstr("no answer from"),
                                          "last heard of 12s ago with 1 of 2 watched programs "
                                          "RUNNING; while it is away nothing restarts them"));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("no answer from"));
}

TEST(SupervisordCheck, AWrongAnswerIsDownWithASentence) {
  struct Row {
    int status;
    std::string body;
    std::string sentence;
  };
  const Row table[] = {
      {401, "", "asks for a user name and password"},
      {404, "", "has no /RPC2"},
      {500, "", "answered with status 500, expected 200"},
      {200, "<html></html>", "the answer of /var/run/supervisor.sock is refused: it is not"},
      {200, "", "is refused: it is not XML"},
      {200, fault_answer(6, "SHUTDOWN_STATE"), "is shutting down or starting again"},
      {200, fault_answer(1, "UNKNOWN_METHOD"), "would not tell: \"UNKNOWN_METHOD\" (fault 1)"},
  };
  for (const auto& row : table) {
    Supervised world;
    world.supervisord.status = row.status;
    world.supervisord.answers[list_method] = row.body;
    const auto check = made(supervisord_check());
    const auto samples = world.host.run(*check);
    ASSERT_TRUE(samples) << row.sentence;
    EXPECT_EQ(value_of(*check, *samples, "up"), 0) << row.sentence;
    EXPECT_EQ(value_of(*check, *samples, "reachable"), 0) << row.sentence;
    EXPECT_THAT(world.host.evidence(*check).probable_cause, HasSubstr(row.sentence));
  }
}

TEST(SupervisordCheck, ARefusedPasswordIsSaidAndNeverShown) {
  Supervised world;
  world.supervisord.status = 401;
  const auto check = made_with_password(map_of({{"url", word("http://127.0.0.1:9001")},
                                                {"username", word("ops")},
                                                {"password", map_of({{"env", word("P")}})}}));
  ASSERT_TRUE(world.host.run(*check));
  const auto evidence = world.host.evidence(*check);
  ASSERT_THAT(evidence.lines, Not(IsEmpty()));
  EXPECT_EQ(evidence.lines[0],
            "supervisord at 127.0.0.1:9001 refused this user name and password (status 401)");
  for (const auto& line : evidence.lines) {
    EXPECT_THAT(line, Not(HasSubstr("hunter2")));
    EXPECT_THAT(line, Not(HasSubstr("b3BzOmh1bnRlcjI=")));
  }
}

TEST(SupervisordCheck, WhatItCannotMeasureIsAnErrorAndNotADownSupervisord) {
  for (const auto code :
       {Errc::internal, Errc::cancelled, Errc::malformed, Errc::unreadable, Errc::too_large}) {
    Supervised world;
    world.supervisord.fail(code, "because");
    const auto outcome = world.host.run(*made(supervisord_check()));
    ASSERT_FALSE(outcome) << static_cast<int>(code);
    EXPECT_EQ(outcome.error().code, code);
  }
  Supervised world;
  std::vector<SupervisedProgram> many(checks::supervised_programs_max + 1, program_of("a"));
  world.has(many);
  const auto outcome = world.host.run(*made(supervisord_check()));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().detail, HasSubstr("more than 1000 programs"));
}

TEST(SupervisordCheck, ManyProgramsStayBelowTheBoundOfSamplesAndTheTroubledAreShown) {
  Supervised world;
  std::vector<SupervisedProgram> many;
  for (int i = 0; i < 900; ++i) many.push_back(program_of("p" + std::to_string(i)));
  many.push_back(program_of("ill", ProgramState::fatal));
  world.has(many);
  const auto check = made(supervisord_check());
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_LE(samples->size(), limits::samples_per_run);
  EXPECT_EQ(value_of(*check, *samples, "program_up", "ill"), 0);
  EXPECT_EQ(value_of(*check, *samples, "programs"), 901);
  EXPECT_EQ(value_of(*check, *samples, "fatal"), 1);
}

TEST(SupervisordCheck, BadParametersAreComplainedOf) {
  const auto password = map_of({{"env", word("P")}});
  const std::pair<Node, std::string> table[] = {
      {map_of({{"url", word("unix:///run/s.sock")}}), "scheme must be http or https"},
      {map_of({{"url", word("http://h")}, {"unix_socket", word("/s")}}), "either the socket or"},
      {map_of({{"unix_socket", word("s.sock")}}), "expected an absolute path"},
      {map_of({{"username", word("a")}}), "go together"},
      {map_of({{"password", word("hunter2")}}), "password"},
      {map_of({{"programs", list_of({"a", ""})}}), "expected a program's or group's name"},
      {map_of({{"except", word(":a")}}), "expected a program's or group's name"},
      {map_of({{"stopped", word("fine")}}), "stopped"},
  };
  for (const auto& [map, sentence] : table) {
    const auto complaints = complaints_of(supervisord_check(), map);
    ASSERT_FALSE(complaints.empty()) << sentence;
    EXPECT_THAT(complaints, Contains(HasSubstr(sentence)));
    EXPECT_THAT(complaints, Not(Contains(HasSubstr("hunter2"))));
  }
  EXPECT_THROW(made_with_password(map_of({{"username", word("a:b")}, {"password", password}})),
               std::invalid_argument);
  EXPECT_THROW(made_with_password(map_of({{"password", password}})), std::invalid_argument);
}

}  // namespace
}  // namespace tocsin
