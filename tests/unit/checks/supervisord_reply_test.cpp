#include "checks/supervisord_reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/checks/supervisord_xml.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace checks_test;
using ::testing::HasSubstr;

/// What a supervisord 4.2.5 answered, with a program in each state that stays.
std::string recorded() {
  std::ifstream file{TOCSIN_SOURCE_DIR "/tests/fixtures/supervisord/all_programs.xml"};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<SupervisedProgram> programs_of(const std::string& xml) {
  auto reply = parse_program_list(xml);
  if (!reply) {
    ADD_FAILURE() << reply.error().detail;
    return {};
  }
  return std::get<std::vector<SupervisedProgram>>(*std::move(reply));
}

TEST(SupervisordReply, OfARealOneIsReadWhole) {
  const auto programs = programs_of(recorded());
  ASSERT_EQ(programs.size(), 8u);
  const auto& crasher = programs[0];
  EXPECT_EQ(crasher.name, "crasher");
  EXPECT_EQ(crasher.group, "crasher");
  EXPECT_EQ(crasher.state, ProgramState::fatal);
  EXPECT_EQ(crasher.spawn_error, "Exited too quickly (process log may have details)");
  EXPECT_EQ(crasher.exit_status, 0) << "it exited with 3, but supervisord does not tell";
  EXPECT_EQ(crasher.pid, 0);
  EXPECT_TRUE(crasher.has_stderr_log);
  const auto& done = programs[1];
  EXPECT_EQ(done.state, ProgramState::exited);
  EXPECT_EQ(done.exit_status, 4);
  EXPECT_EQ(done.spawn_error, "Bad exit code 4");
  EXPECT_EQ(done.start, 1795399043);
  EXPECT_EQ(done.stop, 1795399044);
  EXPECT_EQ(done.now, 1795399046);
  EXPECT_EQ(programs[2].state, ProgramState::stopped);
  EXPECT_NE(programs[2].start, 0) << "somebody stopped it";
  EXPECT_EQ(programs[3].state, ProgramState::stopped);
  EXPECT_EQ(programs[3].start, 0) << "it was never started";
  EXPECT_EQ(programs[4].state, ProgramState::running);
  EXPECT_GT(programs[4].pid, 0);
  EXPECT_EQ(programs[5].spawn_error, "can't find command '/nonexistent/bin'");
  EXPECT_EQ(programs[6].name, "queue_worker_00");
  EXPECT_EQ(programs[6].group, "queue_worker");
  EXPECT_FALSE(programs[6].has_stderr_log) << "its errors go into the other log";
  EXPECT_TRUE(programs[6].has_stdout_log);
}

TEST(SupervisordReply, KnowsEveryStateAndTakesANewOneForUnknown) {
  for (const auto state :
       {ProgramState::stopped, ProgramState::starting, ProgramState::running, ProgramState::backoff,
        ProgramState::stopping, ProgramState::exited, ProgramState::fatal, ProgramState::unknown})
    EXPECT_EQ(programs_of(list_answer({program_of("a", state)})).at(0).state, state);
  EXPECT_EQ(programs_of(list_answer({program_of("a", ProgramState{77})})).at(0).state,
            ProgramState::unknown);
}

TEST(SupervisordReply, MayBeWrittenInEveryWayThatXmlRpcAllows) {
  const auto programs = programs_of(answer_of(
      "<array><data><value><struct>" + member_of("name", "bare") +
      member_of("group", "<string><![CDATA[g&]]></string>") + member_of("state", "<i4> 20 </i4>") +
      member_of("spawnerr", "<nil/>") + member_of("start", "<i8>5</i8>") +
      member_of("novel", "<boolean>1</boolean>") + "</struct></value></data></array>"));
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].name, "bare");
  EXPECT_EQ(programs[0].group, "g&");
  EXPECT_EQ(programs[0].state, ProgramState::running);
  EXPECT_EQ(programs[0].start, 5);
  EXPECT_TRUE(programs_of(answer_of("<array><data></data></array>")).empty());
}

TEST(SupervisordReply, IsRefusedWithASentenceWhenItIsNotWhatWasAskedFor) {
  const std::pair<std::string, std::string> table[] = {
      {"", "not XML"},
      {"<html><body>It works!</body></html>", "not an XML-RPC answer"},
      {"{\"state\": 20}", "not XML"},
      {recorded().substr(0, 4000), "not XML"},
      {std::string("<methodResponse>\0</methodResponse>", 34), "not XML"},
      {"<methodResponse/>", "not a list of programs"},
      {answer_of(xml_text("3.0")), "not a list of programs"},
      {answer_of("<struct></struct>"), "not a list of programs"},
      {answer_of("<array><data><value>x</value></data></array>"), "not a struct"},
      {answer_of("<array><data><value><struct></struct></value></data></array>"),
       "no name, group or state"},
      {answer_of("<array><data><value><struct>" + member_of("name", xml_text("a")) +
                 member_of("group", xml_text("a")) + "</struct></value></data></array>"),
       "no name, group or state"},
      {answer_of("<array><data><value><struct>" + member_of("state", xml_text("20")) +
                 "</struct></value></data></array>"),
       "the state of a program has a value of another kind"},
      {answer_of("<array><data><value><struct>" + member_of("pid", "<int>12x</int>") +
                 "</struct></value></data></array>"),
       "the pid of a program"},
      {answer_of("<array><data><value><struct>" + member_of("now", "<i8>16158591419</i8>") +
                 "</struct></value></data></array>"),
       "the now of a program"},
      {answer_of("<array><data><value><struct>" + member_of("name", xml_number(1)) +
                 "</struct></value></data></array>"),
       "the name of a program"},
      {answer_of("<array><data><value><struct><member><name>stop</name></member>"
                 "</struct></value></data></array>"),
       "the stop of a program"},
      {"<methodResponse><fault><value>x</value></fault></methodResponse>",
       "a fault without a code"},
  };
  for (const auto& [xml, sentence] : table) {
    const auto reply = parse_program_list(xml);
    ASSERT_FALSE(reply) << xml;
    EXPECT_EQ(reply.error().code, Errc::protocol) << xml;
    EXPECT_THAT(reply.error().detail, HasSubstr(sentence)) << xml;
  }
}

TEST(SupervisordReply, IsBoundedInSizeInDepthAndInItsPrograms) {
  const auto large = parse_program_list(std::string(supervisord_reply_bytes_max + 1, '<'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::too_large);
  EXPECT_THAT(large.error().detail, HasSubstr("larger than 2 MiB"));

  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<value>";
  EXPECT_FALSE(parse_program_list("<methodResponse>" + deep));
  for (int i = 0; i < 100'000; ++i) deep += "</value>";
  const auto nested = parse_program_list("<methodResponse>" + deep + "</methodResponse>");
  ASSERT_FALSE(nested);
  EXPECT_THAT(nested.error().detail, HasSubstr("nested too deeply"));

  std::vector<SupervisedProgram> many;
  for (std::size_t i = 0; i < supervised_programs_max; ++i)
    many.push_back(program_of("p" + std::to_string(i)));
  EXPECT_EQ(programs_of(list_answer(many)).size(), supervised_programs_max);
  many.push_back(program_of("one"));
  const auto too_many = parse_program_list(list_answer(many));
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, Errc::too_large);
  EXPECT_THAT(too_many.error().detail, HasSubstr("more than 1000 programs"));
}

TEST(SupervisordReply, ExpandsNoEntitiesOfItsOwn) {
  const auto reply = parse_program_list(
      "<?xml version='1.0'?><!DOCTYPE m [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>" +
      list_answer({program_of("x&b;")}).substr(22));
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<0>(*reply).at(0).name, "x&b;");
}

TEST(SupervisordReply, CutsAndCleansTexts) {
  auto program = program_of("a\x1b[31m" + std::string(1000, 'n'));
  program.spawn_error = "\xff" + std::string(100'000, 'e');
  const auto read = programs_of(list_answer({program})).at(0);
  EXPECT_LE(read.name.size(), 210u);
  EXPECT_EQ(read.name.find('\x1b'), std::string::npos);
  EXPECT_LE(read.spawn_error.size(), 310u);
  EXPECT_EQ(read.spawn_error.find('\xff'), std::string::npos);
}

TEST(SupervisordReply, MayBeAFault) {
  const auto reply = parse_program_list(fault_answer(6, "SHUTDOWN_STATE"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<RpcFault>(*reply).code, fault_shutting_down);
  EXPECT_EQ(std::get<RpcFault>(*reply).text, "SHUTDOWN_STATE");
  const auto text = parse_text_reply(fault_answer(20, "NO_FILE"));
  ASSERT_TRUE(text);
  EXPECT_EQ(std::get<RpcFault>(*text).code, 20);
}

TEST(SupervisordReply, MayBeAText) {
  const auto reply = parse_text_reply(answer_of(xml_text("a &lt;b&gt; &amp; \"c\"\nd\n")));
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<std::string>(*reply), "a <b> & \"c\"\nd\n");
  EXPECT_EQ(std::get<std::string>(*parse_text_reply(answer_of(xml_text("")))), "");
  EXPECT_FALSE(parse_text_reply(answer_of(xml_number(1))));
  EXPECT_FALSE(parse_text_reply("<methodResponse/>"));
  EXPECT_FALSE(parse_text_reply("x"));
}

TEST(SupervisordRequests, AreXmlWhateverAProgramIsCalled) {
  EXPECT_THAT(program_list_request(),
              HasSubstr("<methodName>supervisor.getAllProcessInfo</methodName>"));
  const auto request = log_request(ProgramLog::standard_error, "a&b:<c>", 2048);
  EXPECT_THAT(request, HasSubstr("supervisor.readProcessStderrLog"));
  EXPECT_THAT(request, HasSubstr("<string>a&amp;b:&lt;c&gt;</string>"));
  EXPECT_THAT(request, HasSubstr("<int>-2048</int>"));
  EXPECT_THAT(log_request(ProgramLog::standard_output, "a:a", 1),
              HasSubstr("supervisor.readProcessStdoutLog"));
}

}  // namespace
}  // namespace tocsin
