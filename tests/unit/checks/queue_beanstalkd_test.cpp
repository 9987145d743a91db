#include "checks/queue_beanstalkd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "checks/beanstalkd_stats.hpp"
#include "checks/queue.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tests/unit/checks/scripted_network.hpp"

namespace tocsin {
namespace {

using namespace checks_test;
using checks::BeanstalkdAnswer;
using checks::parse_beanstalkd_answer;
using checks::QueueReading;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string data(std::string yaml) {
  yaml = "---\n" + yaml;
  return "OK " + std::to_string(yaml.size()) + "\r\n" + yaml + "\r\n";
}
const std::string tube_stats = data(
    "name: mailers\ncurrent-jobs-urgent: 1\ncurrent-jobs-ready: 2\ncurrent-jobs-reserved: 1\n"
    "current-jobs-delayed: 3\ncurrent-jobs-buried: 4\ntotal-jobs: 50\ncurrent-using: 1\n"
    "current-watching: 2\ncurrent-waiting: 0\ncmd-delete: 40\ncmd-pause-tube: 1\npause: 60\n"
    "pause-time-left: 30\n");

struct World {
  ScriptedNetwork network{};
  fakes::FakeHost host{&network};
  std::unique_ptr<checks::QueueSource> source;
  std::map<std::string, std::string> replies{
      {"stats-tube mailers", tube_stats},
      {"use mailers", "USING mailers\r\n"},
      {"peek-ready", "FOUND 9 5\r\nhello\r\n"},
      {"stats-job 9", data("id: 9\ntube: mailers\nstate: ready\nage: 75\n")},
  };
  std::vector<std::string> commands{};

  explicit World(std::string tube = "mailers") {
    source = make_source(checks::BeanstalkdQueue{{"bs", 11300}, std::move(tube)});
    network.peer = [this](std::string_view said) {
      std::string out;
      while (!said.empty()) {
        const auto end = said.find("\r\n");
        commands.emplace_back(said.substr(0, end));
        said.remove_prefix(end + 2);
        const auto found = replies.find(commands.back());
        out += found != replies.end() ? found->second : "UNKNOWN_COMMAND\r\n";
      }
      return out;
    };
  }
  Result<QueueReading> look() {
    auto context = host.context();
    return fakes::run_to_end(host.loop, source->look(context));
  }
  QueueReading seen() {
    auto reading = look();
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or({});
  }
  std::string why_down() {
    const auto reading = seen();
    EXPECT_FALSE(reading.up);
    return reading.failure;
  }
};

TEST(Beanstalkd, TellsATube) {
  World world;
  const auto reading = world.seen();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.depth, 3) << "ready and reserved";
  EXPECT_EQ(reading.consumers, 2);
  EXPECT_EQ(reading.oldest_seconds, 75);
  EXPECT_EQ(reading.in_total, 50);
  EXPECT_EQ(reading.out_total, 40);
  EXPECT_THAT(reading.remarks,
              ElementsAre("2 ready, 1 being worked on",
                          "4 more are buried: they wait for somebody to kick or delete them",
                          "3 more are delayed", "the tube is paused for another 30s"));
  EXPECT_EQ(world.source->name(), "tube \"mailers\" on bs:11300");
  EXPECT_EQ(world.network.open_now, 0);
}

TEST(Beanstalkd, HearsAByteAtATime) {
  World world;
  world.network.piece = 1;
  EXPECT_EQ(world.seen().oldest_seconds, 75);
}

TEST(Beanstalkd, ATubeThatIsNotThereIsEmpty) {
  World world;
  world.replies["stats-tube mailers"] = "NOT_FOUND\r\n";
  const auto reading = world.seen();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.depth, 0);
  EXPECT_EQ(reading.consumers, 0);
  EXPECT_EQ(reading.in_total, 0);
  EXPECT_FALSE(reading.oldest_seconds);
  EXPECT_THAT(world.commands, ElementsAre("stats-tube mailers"));
}

TEST(Beanstalkd, WeAreNoConsumerOfTheDefaultTube) {
  World world{"default"};
  world.replies["stats-tube default"] = data("current-jobs-ready: 0\ncurrent-watching: 1\n");
  EXPECT_EQ(world.seen().consumers, 0);
}

TEST(Beanstalkd, AnOldVersionLeavesOutWhatIsThenUnknown) {
  World world;
  world.replies["stats-tube mailers"] = data("current-jobs-ready: 0\n");
  const auto reading = world.seen();
  EXPECT_FALSE(reading.consumers);
  EXPECT_FALSE(reading.in_total);
  EXPECT_FALSE(reading.out_total);
}

TEST(Beanstalkd, AnAgeThatCannotBeHadIsNoFault) {
  for (const auto* peeked :
       {"NOT_FOUND\r\n", "FOUND 8 5\r\nhello\r\n", "FOUND 9 99999999\r\nhel", "FOUND x\r\n", "",
        "INTERNAL_ERROR\r\n", "FOUND 18446744073709551615 18446744073709551615\r\n"}) {
    World world;
    world.replies["peek-ready"] = peeked;
    const auto reading = world.seen();
    EXPECT_TRUE(reading.up) << peeked;
    EXPECT_EQ(reading.depth, 3);
    EXPECT_FALSE(reading.oldest_seconds) << peeked;
  }
}

TEST(Beanstalkd, AGreatJobIsPassedOver) {
  World world;
  world.replies["peek-ready"] = "FOUND 9 3000000\r\n" + std::string(3'000'000, 'x') + "\r\n";
  EXPECT_EQ(world.seen().oldest_seconds, 75);
}

TEST(Beanstalkd, WhatFailsIsNamed) {
  World world;
  auto& reply = world.replies["stats-tube mailers"];
  reply = "";
  EXPECT_EQ(world.why_down(), "no answer from bs:11300 after 4.95s (asked for stats-tube)");
  reply = "OK 900\r\n---\n";
  EXPECT_EQ(world.why_down(), "no answer from bs:11300 after 4.95s (asked for stats-tube)");
  world.network.closes = true;
  EXPECT_EQ(world.why_down(), "bs:11300 closed the connection (asked for stats-tube)");
  reply = "INTERNAL_ERROR\r\n";
  EXPECT_EQ(world.why_down(), "bs:11300 answered \"INTERNAL_ERROR\"");
  reply = "HTTP/1.1 400 Bad Request\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("bs:11300 does not speak beanstalkd's protocol"));
  reply = "OK 1073741824\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("announced statistics of 1073741824 bytes"));
  reply = "USING mailers\r\n";
  EXPECT_THAT(world.why_down(), HasSubstr("with something else"));
  reply = data("name: mailers\ncurrent-jobs-ready: many\n");
  EXPECT_THAT(world.why_down(), HasSubstr("without current-jobs-ready"));
  world.network.fail(NetPhase::connect, Errc::unreachable,
                     "connect to bs:11300 failed: Connection refused");
  EXPECT_EQ(world.why_down(), "connect to bs:11300 failed: Connection refused");
  world.network.fail(NetPhase::connect, Errc::internal, "Too many open files");
  EXPECT_FALSE(world.look());
}

TEST(Beanstalkd, ALineWithoutEndIsBounded) {
  World world;
  world.replies["stats-tube mailers"] = "OK";
  world.network.endless = std::string(4096, ' ');
  EXPECT_THAT(world.why_down(), HasSubstr("does not speak beanstalkd's protocol"));
  EXPECT_LT(world.network.heard, 16u << 10);
}

TEST(Beanstalkd, IsABackEndOfTheQueueCheck) {
  World world;
  const auto from = [](std::vector<std::pair<std::string, Node>> keys) {
    return map_of({{"from", map_of({{"beanstalkd", map_of(std::move(keys))}})}});
  };
  const auto check =
      made(queue_check(), from({{"address", word("bs:11300")}, {"tube", word("mailers")}}));
  EXPECT_EQ(fakes::value_of(*check, *world.host.run(*check), "depth"), 3);
  for (const auto* bad : {"-mail", "two words", "mail\r\nquit", "münz"})
    EXPECT_THAT(
        complaints_of(queue_check(), from({{"address", word("bs:1")}, {"tube", word(bad)}})),
        ElementsAre(HasSubstr("a tube's name has")))
        << bad;
}

TEST(BeanstalkdAnswer, IsToldByItsFirstLine) {
  using Kind = BeanstalkdAnswer::Kind;
  EXPECT_EQ(parse_beanstalkd_answer("OK 265").bytes, 265u);
  EXPECT_EQ(parse_beanstalkd_answer("FOUND 2 5").job, 2u);
  EXPECT_EQ(parse_beanstalkd_answer("NOT_FOUND").kind, Kind::not_found);
  EXPECT_EQ(parse_beanstalkd_answer("USING x").kind, Kind::done);
  EXPECT_EQ(parse_beanstalkd_answer("BAD_FORMAT").kind, Kind::refused);
  for (const auto* foreign :
       {"", "OK", "OK x", "OK -1", "OK 1 2", "FOUND 2", "FOUND 2 5 1", "ok 3"})
    EXPECT_EQ(parse_beanstalkd_answer(foreign).kind, Kind::foreign) << foreign;
}

}  // namespace
}  // namespace tocsin
