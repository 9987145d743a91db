#include "checks/test_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Uids = std::vector<std::uint32_t>;

const Now start{SteadyTime{1000h}, WallTime{std::chrono::seconds{1'700'000'000}}};
Now after(Duration passed) {
  return {start.steady + passed,
          start.wall + std::chrono::duration_cast<WallTime::duration>(passed)};
}

struct Messages : TestMessages {
  Messages() : TestMessages{"tag", 5min, 1h} {}
  /// Sends one that the relay takes; its id.
  std::string send(Duration at) {
    auto id = begin(after(at), ++chance_).id;
    accept("Ok: queued as 4XyZ");
    return id;
  }
  void come(std::uint32_t uid, const std::string& id, Duration at, Duration seen) {
    arrive({.uid = uid, .id = id, .came = after(at).wall}, after(seen));
  }
  void come(std::uint32_t uid, const std::string& id, Duration at) { come(uid, id, at, at); }
  void look(const Uids& found, Duration at) { conclude(found, after(at)); }
  std::optional<Duration> delay(Duration at) const { return standing(after(at)).delay; }

 private:
  std::uint64_t chance_{0};
};

/// What a new process knows.
Messages restarted(const TestMessages& before, Now now) {
  Messages messages;
  messages.load(before.save(), now);
  return messages;
}

TEST(TestMessages, AreDueAtOnceAndThenByTheirPeriod) {
  Messages messages;
  EXPECT_TRUE(messages.due(after(0s)));
  messages.send(0s);
  EXPECT_FALSE(messages.due(after(4min)));
  EXPECT_TRUE(messages.due(after(5min - 500ms))) << "a run may come a little early";
}

TEST(TestMessages, TheAgeOfOneThatIsMissingCountsAtOnce) {
  Messages messages;
  EXPECT_EQ(messages.delay(0s), std::nullopt);
  const auto first = messages.send(0s);
  messages.come(1, first, 2s);
  EXPECT_EQ(messages.delay(3s), 2s);
  messages.send(5min);
  EXPECT_EQ(messages.delay(5min + 1s), 2s) << "the newest that came took longer";
  EXPECT_EQ(messages.delay(17min), 12min);
  messages.send(10min);
  EXPECT_EQ(messages.delay(17min), 12min) << "the oldest counts";
  EXPECT_EQ(messages.standing(after(17min)).missing, 2U);
}

TEST(TestMessages, TheDelayRecoversOnceMailFlowsAgain) {
  Messages messages;
  const auto first = messages.send(0s);
  const auto second = messages.send(5min);
  const auto third = messages.send(10min);
  // The relay lets go of all of them at once.
  messages.come(1, first, 12min);
  messages.come(2, second, 12min);
  EXPECT_EQ(messages.delay(12min), 7min);
  messages.come(3, third, 12min);
  EXPECT_EQ(messages.delay(12min), 2min);
  EXPECT_EQ(messages.standing(after(12min)).missing, 0U);
}

TEST(TestMessages, AMailboxWhoseClockIsOffCannotMakeADelayThatCannotBe) {
  Messages messages;
  const auto first = messages.send(0s);
  messages.come(1, first, 1h, 30s);
  EXPECT_EQ(messages.delay(30s), 30s);
  const auto second = messages.send(5min);
  messages.come(2, second, 0s, 6min);
  EXPECT_EQ(messages.delay(6min), 0s);
}

TEST(TestMessages, OneThatDoesNotComeIsLostAndWaitedForNoMore) {
  Messages messages;
  const auto id = messages.send(0s);
  messages.look({}, 59min);
  EXPECT_EQ(messages.standing(after(59min)).lost, 0U);
  messages.look({}, 1h);
  EXPECT_EQ(messages.standing(after(1h)).lost, 1U);
  EXPECT_EQ(messages.standing(after(1h)).missing, 0U);
  EXPECT_EQ(messages.delay(1h), std::nullopt);

  messages.come(1, id, 3h);
  EXPECT_EQ(messages.standing(after(3h)).lost, 0U);
  EXPECT_EQ(messages.standing(after(3h)).late, 1U);
  EXPECT_EQ(messages.delay(3h), 3h);

  messages.look({}, 27h);
  EXPECT_EQ(messages.standing(after(27h)).late, 1U);
  messages.look({}, 28h);
  EXPECT_EQ(messages.standing(after(28h)).late, 0U) << "of the last day only";
}

TEST(TestMessages, ALossIsToldOfForADay) {
  Messages messages;
  messages.send(0s);
  messages.look({}, 1h);
  messages.look({}, 25h);
  EXPECT_EQ(messages.standing(after(25h)).lost, 1U);
  messages.look({}, 25h + 1s);
  EXPECT_EQ(messages.standing(after(26h)).lost, 0U);
}

TEST(TestMessages, WhatTheRelayRefusedIsNotMissedAndTriedAgain) {
  Messages messages;
  messages.begin(after(0s), 7);
  messages.refuse();
  EXPECT_TRUE(messages.due(after(1s)));
  EXPECT_TRUE(restarted(messages, after(1s)).due(after(2s))) << "else it would be well till then";
  messages.look({}, 2h);
  const auto standing = messages.standing(after(2h));
  EXPECT_EQ(standing.missing, 0U);
  EXPECT_EQ(standing.lost, 0U);
  EXPECT_EQ(standing.delay, std::nullopt);
}

TEST(TestMessages, WhatMayBeUnderWayIsNotMissedButKnownWhenItComes) {
  Messages messages;
  const auto id = messages.begin(after(0s), 7).id;
  EXPECT_FALSE(messages.due(after(1s)));
  EXPECT_TRUE(restarted(messages, after(1s)).due(after(1s))) << "nobody heard what became of it";
  messages.doubt();
  EXPECT_TRUE(messages.due(after(1s)));
  EXPECT_EQ(messages.standing(after(30min)).missing, 0U);
  messages.come(1, id, 20min);
  EXPECT_EQ(messages.delay(20min), 20min);
  EXPECT_EQ(messages.standing(after(20min)).duplicates, 0U);

  messages.begin(after(30min), 8);
  messages.doubt();
  messages.look({1}, 3h);
  EXPECT_EQ(messages.standing(after(3h)).lost, 0U);
}

TEST(TestMessages, WhatMayBeUnderWayDoesNotKeepOthersFromBeingSent) {
  Messages messages;
  const auto first = messages.send(0s);
  for (int i = 0; i < 1000; ++i) {
    const auto now = after(5min + i * 1s);
    ASSERT_TRUE(messages.due(now)) << i;
    messages.begin(now, 7);
    messages.doubt();
  }
  EXPECT_TRUE(restarted(messages, after(30min)).due(after(30min)));
  EXPECT_EQ(messages.standing(after(30min)).missing, 1U) << "and none that was taken is forgotten";
  messages.come(1, first, 30min);
  EXPECT_EQ(messages.standing(after(30min)).missing, 0U);
}

TEST(TestMessages, ASecondCopyIsADuplicateAndTheSameMessageIsNot) {
  Messages messages;
  const auto id = messages.send(0s);
  messages.come(1, id, 1s);
  EXPECT_TRUE(messages.knows(1));
  messages.look({1}, 1s);
  EXPECT_EQ(messages.standing(after(1s)).duplicates, 0U);
  messages.come(2, id, 2s);
  EXPECT_EQ(messages.standing(after(2s)).duplicates, 1U);
}

TEST(TestMessages, OneThatWasOvertakenIsOutOfOrder) {
  Messages messages;
  const auto first = messages.send(0s);
  const auto second = messages.send(5min);
  messages.come(1, second, 6min);
  EXPECT_EQ(messages.delay(6min), 6min) << "the first is missing still";
  messages.come(2, first, 7min);
  EXPECT_EQ(messages.standing(after(7min)).out_of_order, 1U);
  EXPECT_EQ(messages.delay(7min), 1min) << "the newest counts";
}

TEST(TestMessages, AreDeletedOnceTheirAccountIsOnDisk) {
  Messages messages;
  const auto id = messages.send(0s);
  EXPECT_THAT(messages.to_delete(Uids{1}, after(1s)), IsEmpty());
  messages.come(1, id, 1s);
  messages.look({1}, 1s);
  EXPECT_THAT(messages.to_delete(Uids{1}, after(2s)), ElementsAre(1U));
  messages.look({}, 3s);
  EXPECT_FALSE(messages.knows(1));
}

TEST(TestMessages, AMailboxThatWasMadeAnewHasOtherMessages) {
  Messages messages;
  const auto first = messages.send(0s);
  const auto second = messages.send(5min);
  messages.open_mailbox(3857529045);
  messages.come(1, first, 1s);
  messages.look({1}, 1s);
  auto again = restarted(messages, after(2min));
  again.open_mailbox(3857529045);
  EXPECT_TRUE(again.knows(1));
  again.open_mailbox(3857529046);
  EXPECT_FALSE(again.knows(1));
  EXPECT_THAT(again.to_delete(Uids{1}, after(6min)), IsEmpty());
  again.come(1, second, 6min);
  again.come(2, first, 6min);
  EXPECT_EQ(again.standing(after(6min)).missing, 0U);
  EXPECT_EQ(again.standing(after(6min)).duplicates, 0U) << "the same, with another number";
  EXPECT_THAT(again.to_delete(Uids{1, 2}, after(6min)), ElementsAre(1U, 2U));
  again.look({1, 2}, 6min);
  again.open_mailbox(3857529046);
  again.come(3, first, 7min);
  EXPECT_EQ(again.standing(after(7min)).duplicates, 1U);
}

TEST(TestMessages, MailOfOthersIsLeftAlone) {
  Messages messages;
  messages.come(1, "", 0s);
  messages.come(2, "other.1700000000000000.1", 0s);
  messages.come(3, "tag.not-a-time.1", 0s);
  messages.come(4, "tag.99999999999999999.1", 0s);
  messages.look({1, 2, 3, 4}, 1s);
  EXPECT_THAT(messages.to_delete(Uids{1, 2, 3, 4}, after(24h * 365)), IsEmpty());
  EXPECT_EQ(messages.standing(after(1s)).duplicates, 0U);
}

TEST(TestMessages, WhatWasSentBeforeOurMemoryWasLostIsCleanedUpInTheEnd) {
  Messages forgotten;
  const auto id = forgotten.send(0s);
  Messages messages;
  messages.come(9, id, 1min);
  EXPECT_EQ(messages.delay(1min), std::nullopt);
  EXPECT_THAT(messages.to_delete(Uids{9}, after(24h)), IsEmpty()) << "another host's, perhaps";
  EXPECT_THAT(messages.to_delete(Uids{9}, after(25h)), ElementsAre(9U));
}

TEST(TestMessages, ARestartLosesNothing) {
  Messages messages;
  const auto first = messages.send(0s);
  const auto second = messages.send(5min);
  messages.come(1, first, 2s, 6min);
  messages.look({1}, 6min);

  auto later = restarted(messages, after(20min));
  EXPECT_EQ(later.delay(20min), 15min) << "from its sending on, not from the restart";
  EXPECT_EQ(later.standing(after(20min)).missing, 1U);
  EXPECT_TRUE(later.knows(1));
  EXPECT_TRUE(later.due(after(20min)));
  ASSERT_THAT(later.missing(), SizeIs(1));
  EXPECT_EQ(later.missing().front()->receipt, "Ok: queued as 4XyZ");
  later.come(2, second, 21min);
  EXPECT_EQ(later.delay(21min), 16min);
  later.come(3, first, 22min);
  EXPECT_EQ(later.standing(after(22min)).duplicates, 1U);
  later.come(4, later.send(23min), 24min);

  const auto last = restarted(later, after(25min));
  EXPECT_EQ(last.standing(after(25min)).duplicates, 1U);
  EXPECT_EQ(last.delay(25min), 1min);
  EXPECT_FALSE(last.due(after(25min)));
  EXPECT_EQ(last.save(), later.save());
}

TEST(TestMessages, AForeignMemoryIsNone) {
  for (const auto* text : {"", "[]", "{", R"({"tag":"other","under_way":[{"id":"other.1.1"}]})",
                           R"({"tag":"tag","under_way":[1,{"id":"tag.x.1"}],"mailbox":[[0,1],[1]],
                               "counts":[{"hour":"x"}],"arrived":[1],"newest":[]})"}) {
    Messages messages;
    messages.load(text, start);
    EXPECT_EQ(messages.standing(start).missing, 0U) << text;
    EXPECT_TRUE(messages.due(start)) << text;
    EXPECT_EQ(messages.delay(0s), std::nullopt) << text;
  }
}

TEST(TestMessages, TakeNoMoreRoomThanAMemoryHas) {
  TestMessages messages{"0123456789abcdef", 1s, 1h};
  const std::string receipt(1000, 'x');
  std::uint32_t uid = 1'000'000'000;
  for (int i = 0; i < 1000; ++i) {
    const auto now = after(i * 1s);
    if (messages.full()) messages.conclude({}, after(2h + i * 1s));
    const auto id = messages.begin(now, ~std::uint64_t{0}).id;
    messages.accept(receipt);
    messages.arrive({.uid = uid++, .id = i % 2 == 0 ? id : "foreign"}, now);
  }
  for (int i = 0; i < 100; ++i) {
    messages.begin(after(3h + i * 1s), ~std::uint64_t{0});
    messages.accept(receipt);
  }
  EXPECT_LE(messages.save().size(), limits::check_memory_bytes);
}

}  // namespace
}  // namespace tocsin::checks
