#include "checks/supervised_programs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/supervisord_evidence.hpp"
#include "tests/unit/checks/supervisord_xml.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace checks_test;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const SteadyTime start_of_test = SteadyTime{} + 1h;

TEST(ProgramPattern, MeansWhatSupervisorctlWouldMeanByIt) {
  struct Row {
    const char* pattern;
    const char* group;
    const char* name;
    bool matches;
  };
  const Row table[] = {
      {"web", "web", "web", true},
      {"web", "shop", "web", true},
      {"worker", "worker", "worker_00", true},
      {"web", "website", "website", false},
      {"web", "shop", "webs", false},
      {"shop:web", "shop", "web", true},
      {"shop:web", "blog", "web", false},
      {"shop:web", "web", "shop", false},
      {"shop:*", "shop", "anything", true},
      {"shop:*", "shops", "anything", false},
      {"shop:", "shop", "anything", true},
      {"*", "shop", "web", true},
      {"*:web", "shop", "web", true},
      {"worker_*", "worker", "worker_00", true},
      {"w*_*0", "g", "worker_10", true},
      {"w*_*0", "g", "worker_11", false},
      {"shop:w*b*", "shop", "web", true},
      {"a:b:c", "a", "b:c", true},
  };
  for (const auto& row : table)
    EXPECT_EQ(
        ProgramPattern{row.pattern}.matches(program_of(row.name, ProgramState::running, row.group)),
        row.matches)
        << row.pattern << " and " << row.group << ":" << row.name;
}

TEST(ProgramPattern, OfManyStarsIsJudgedAtOnce) {
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  EXPECT_FALSE(ProgramPattern{stars + "b"}.matches(program_of(std::string(200, 'a'))));
}

TEST(RestartCount, CountsLaterStartsAndOtherProcessesOnce) {
  RestartCount restarts;
  auto program = program_of("a");
  const auto look = [&](Duration at) {
    restarts.look({program}, start_of_test + at);
    return restarts.of(program);
  };
  EXPECT_EQ(look(0s), 0u);
  EXPECT_EQ(look(1s), 0u);
  program.start += 5;
  program.pid = 5000;
  EXPECT_EQ(look(2s), 1u) << "another process, started later: one restart";
  program.pid = 0;
  program.state = ProgramState::backoff;
  EXPECT_EQ(look(3s), 1u) << "an end is no start";
  program.start += 1;
  EXPECT_EQ(look(4s), 2u) << "a start in vain leaves no process";
  program.pid = 5001;
  EXPECT_EQ(look(5s), 3u) << "another one within the same second";
  program.start -= 100;
  EXPECT_EQ(look(6s), 3u) << "the clock was set back";
  EXPECT_EQ(look(2s + limits::restart_window), 2u);
  EXPECT_EQ(look(6s + limits::restart_window), 0u);
}

TEST(RestartCount, TakesNoFirstStartForARestartAndForgetsWhoIsGone) {
  RestartCount restarts;
  auto program = program_of("a", ProgramState::stopped);
  program.start = 0;
  restarts.look({program}, start_of_test);
  program.start = 10;
  program.pid = 7;
  restarts.look({program}, start_of_test + 1s);
  EXPECT_EQ(restarts.of(program), 0u);
  program.pid = 8;
  restarts.look({program}, start_of_test + 2s);
  EXPECT_EQ(restarts.of(program), 1u);
  restarts.look({}, start_of_test + 3s);
  EXPECT_EQ(restarts.of(program), 0u);
  program.pid = 9;
  restarts.look({program}, start_of_test + 4s);
  EXPECT_EQ(restarts.of(program), 0u) << "it is new again";
}

TEST(RestartCount, IsBounded) {
  RestartCount restarts;
  auto program = program_of("a");
  for (int i = 0; i < 1000; ++i) {
    ++program.pid;
    restarts.look({program}, start_of_test);
  }
  EXPECT_EQ(restarts.of(program), limits::restarts_counted);
}

std::vector<std::string> labels_of(const WatchedPrograms& programs) {
  std::vector<std::string> labels;
  for (const auto& program : programs.list()) labels.push_back(label_of(program));
  return labels;
}

TEST(WatchedPrograms, AreThoseThatAreWantedWithTheTroubledFirst) {
  const std::vector<SupervisedProgram> all{
      program_of("a", ProgramState::running, "shop"), program_of("b", ProgramState::fatal, "shop"),
      program_of("c", ProgramState::exited, "shop"), program_of("other", ProgramState::fatal)};
  WatchedPrograms programs{
      {{ProgramPattern{"shop:*"}, ProgramPattern{"gone"}}, {ProgramPattern{"shop:c"}}, {}}};
  programs.take(all, start_of_test);
  EXPECT_THAT(labels_of(programs), ElementsAre("shop:b", "shop:a"));
  EXPECT_THAT(programs.missing(), ElementsAre("gone"));
  EXPECT_FALSE(programs.all_well());
  WatchedPrograms everything{{}};
  everything.take(all, start_of_test);
  EXPECT_THAT(labels_of(everything), ElementsAre("shop:b", "shop:c", "other", "shop:a"));
  EXPECT_TRUE(everything.missing().empty());
}

TEST(WatchedPrograms, AreDownInEveryStateButRunningAndStopped) {
  const WatchedPrograms lenient{{}};
  const WatchedPrograms strict{{{}, {}, StoppedPrograms::down}};
  for (const auto state : {ProgramState::starting, ProgramState::backoff, ProgramState::stopping,
                           ProgramState::exited, ProgramState::fatal, ProgramState::unknown}) {
    EXPECT_TRUE(lenient.is_down(program_of("a", state))) << to_string(state);
    EXPECT_FALSE(lenient.is_ignored(program_of("a", state))) << to_string(state);
  }
  EXPECT_FALSE(lenient.is_down(program_of("a")));
  const auto stopped = program_of("a", ProgramState::stopped);
  EXPECT_TRUE(lenient.is_ignored(stopped));
  EXPECT_FALSE(lenient.is_down(stopped));
  EXPECT_FALSE(strict.is_ignored(stopped));
  EXPECT_TRUE(strict.is_down(stopped));
}

TEST(DescribedPrograms, SayWhatTheirStateMeans) {
  const auto described = [](ProgramState state, auto change) {
    auto program = program_of("a", state, "shop");
    change(program);
    return describe_program(program);
  };
  const auto as_it_is = [](SupervisedProgram&) {};
  EXPECT_EQ(described(ProgramState::running, as_it_is), "shop:a is RUNNING for 1m as pid 4711");
  EXPECT_EQ(described(ProgramState::fatal,
                      [](auto& program) { program.spawn_error = "can't find command 'x'"; }),
            "shop:a is FATAL, supervisord has given up: can't find command 'x'");
  EXPECT_EQ(described(ProgramState::backoff,
                      [](auto& program) { program.spawn_error = "Exited too quickly"; }),
            "shop:a is in BACKOFF, supervisord will try again: Exited too quickly");
  EXPECT_EQ(described(ProgramState::exited,
                      [](auto& program) {
                        program.stop = program.now - 90;
                        program.exit_status = 3;
                        program.spawn_error = "Bad exit code 3";
                      }),
            "shop:a is EXITED for 1m 30s, with exit status 3 (not one that its configuration "
            "expects)");
  EXPECT_EQ(described(ProgramState::exited, [](auto& program) { program.stop = program.now; }),
            "shop:a is EXITED for 0s, with exit status 0 (one that its configuration expects)");
  EXPECT_THAT(described(ProgramState::exited,
                        [](auto& program) {
                          program.exit_status = -1;
                          program.spawn_error = "Bad exit code -1";
                        }),
              HasSubstr("is EXITED, ended by a signal"));
  EXPECT_EQ(described(ProgramState::stopped, [](auto& program) { program.stop = program.now - 5; }),
            "shop:a is STOPPED for 5s: somebody stopped it");
  EXPECT_EQ(described(ProgramState::stopped, [](auto& program) { program.start = 0; }),
            "shop:a is STOPPED: it was never started");
  EXPECT_THAT(described(ProgramState::starting, as_it_is), HasSubstr("is STARTING for 1m"));
  EXPECT_THAT(described(ProgramState::stopping, as_it_is), HasSubstr("is STOPPING"));
  EXPECT_THAT(described(ProgramState::unknown, as_it_is), HasSubstr("is UNKNOWN"));
  EXPECT_THAT(described(ProgramState::starting, [](auto& program) { program.start = 2'000'000; }),
              HasSubstr("is STARTING and"))
      << "a start that is yet to come has no duration";
}

TEST(ProgramEvidence, CountsThoseThatItLeavesOut) {
  WatchedPrograms programs{{}};
  std::vector<SupervisedProgram> all;
  for (int i = 0; i < 9; ++i)
    all.push_back(program_of("p" + std::to_string(i), ProgramState::fatal));
  programs.take(all, start_of_test);
  Evidence evidence;
  const auto* const notable = tell_of_programs(evidence, programs);
  ASSERT_NE(notable, nullptr);
  EXPECT_EQ(notable->name, "p0");
  ASSERT_EQ(evidence.lines.size(), 6u);
  EXPECT_EQ(evidence.lines.back(), "and 4 more");
  EXPECT_THAT(evidence.probable_cause, HasSubstr("p0 is FATAL"));
}

TEST(ProgramEvidence, IsSilentOnThoseThatAreWell) {
  WatchedPrograms programs{{}};
  programs.take({program_of("a"), program_of("b", ProgramState::stopped)}, start_of_test);
  Evidence evidence;
  EXPECT_EQ(tell_of_programs(evidence, programs), nullptr);
  EXPECT_TRUE(evidence.lines.empty());
  EXPECT_EQ(evidence.probable_cause, "");
}

TEST(ProgramEvidence, HasNoSecretOfALog) {
  Evidence evidence;
  evidence.probable_cause = "a is FATAL";
  tell_of_log(evidence, program_of("a"), ProgramLog::standard_error,
              "connecting to postgres://app:hunter2@db/shop\nlogin failed, password=hunter2\n");
  ASSERT_EQ(evidence.lines.size(), 3u);
  EXPECT_THAT(evidence.lines[1], AllOf(HasSubstr("connecting to"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(evidence.lines[2], AllOf(HasSubstr("login failed"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(evidence.probable_cause, Not(HasSubstr("hunter2")));
}

TEST(ProgramEvidence, HasTheLastLinesOfALogWithoutAPieceOfOne) {
  const auto told = [](const std::string& text) {
    Evidence evidence;
    evidence.probable_cause = "a is FATAL";
    tell_of_log(evidence, program_of("a"), ProgramLog::standard_error, text);
    return evidence;
  };
  EXPECT_TRUE(told("").lines.empty());
  EXPECT_TRUE(told("\n \n\n").lines.empty());
  const auto evidence = told("1\n2\n3\n\n4\n5\n6 \x1b[31mboom\n");
  EXPECT_THAT(evidence.lines, ElementsAre("the end of what a wrote to its standard error:", "\"2\"",
                                          "\"3\"", "\"4\"", "\"5\"", "\"6 [31mboom\""));
  EXPECT_THAT(evidence.probable_cause, HasSubstr("a is FATAL; its last words: \"6 "));
  const auto cut = told(std::string(program_log_bytes - 6, 'x') + "\nlast\n");
  EXPECT_THAT(cut.lines, ElementsAre("the end of what a wrote to its standard error:", "\"last\""));
  const auto one = told(std::string(program_log_bytes, 'x'));
  ASSERT_EQ(one.lines.size(), 2u) << "a piece is better than nothing";
  EXPECT_LE(one.lines[1].size(), limits::evidence_line_characters);
}

}  // namespace
}  // namespace tocsin
