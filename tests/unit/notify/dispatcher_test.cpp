#include "agent/notify/dispatcher.hpp"

#include <deque>
#include <stdexcept>

#include <gmock/gmock.h>

#include "tests/unit/notify/stage.hpp"
#include "tocsin/async/wakeup.hpp"

namespace tocsin::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// An outbox of claims that a test puts in, and the outcomes that came back.
class ListedOutbox final : public Outbox {
 public:
  struct Settled {
    std::uint64_t entry;
    Delivery delivery;
    Duration took;
  };
  explicit ListedOutbox(asio::any_io_executor executor) : put_{std::move(executor)} {}
  void put(const std::string& receiver, std::uint64_t entry) {
    claims_.push_back({ReceiverId{receiver}, draft_of(DraftPost{"x"}, {}, {}, entry)});
    put_.raise();
  }
  asio::awaitable<Claim> next() override {
    while (claims_.empty()) co_await put_.wait();
    auto claim = std::move(claims_.front());
    claims_.pop_front();
    co_return claim;
  }
  void settle(const Claim& claim, const Delivery& delivery, Duration took) override {
    settled.push_back({claim.draft.entry.value, delivery, took});
  }
  std::size_t waiting() const { return claims_.size(); }
  std::vector<Settled> settled{};

 private:
  Wakeup put_;
  std::deque<Claim> claims_{};
};

/// Takes as long as it is told, or fails as it is told.
class SlowNotifier final : public Notifier {
 public:
  explicit SlowNotifier(Clock& clock) : clock_{clock} {}
  asio::awaitable<Delivery> deliver(Draft draft, SteadyTime deadline) override {
    ++running;
    most = std::max(most, running);
    last_deadline = deadline;
    const Leave leave{running};
    co_await clock_.sleep_until(clock_.steady() + takes);
    if (throws) throw std::runtime_error{"a bug"};
    Delivered delivered;
    delivered.message = std::to_string(draft.entry.value);
    co_return delivered;
  }
  Task<std::string> test(SteadyTime) override { co_return std::string{"fine"}; }

  Duration takes{0};
  bool throws{false};
  int running{0}, most{0};
  SteadyTime last_deadline{};

 private:
  struct Leave {
    int& running;
    ~Leave() { --running; }
  };
  Clock& clock_;
};

class Dispatching : public ::testing::Test {
 protected:
  Dispatching() {
    slow_ = std::make_shared<SlowNotifier>(clock_);
    quick_ = std::make_shared<SlowNotifier>(clock_);
    dispatcher_.replace({{ReceiverId{"slack"}, slow_}, {ReceiverId{"pagerduty/sre"}, quick_}});
    tasks_.spawn("dispatcher", dispatcher_.run());
  }
  ~Dispatching() override { stop(); }
  void stop() {
    std::optional<std::vector<std::string>> stragglers;
    asio::co_spawn(loop_, keep(tasks_.stop(clock_, clock_.steady() + 5s), stragglers),
                   [](std::exception_ptr) {});
    fakes::settle(loop_);
    ASSERT_TRUE(stragglers);
    EXPECT_THAT(*stragglers, IsEmpty());
  }

  asio::io_context loop_{};
  fakes::ManualClock clock_{};
  ListedOutbox outbox_{loop_.get_executor()};
  TaskGroup tasks_{loop_.get_executor()};
  Dispatcher dispatcher_{clock_, outbox_, tasks_};
  std::shared_ptr<SlowNotifier> slow_, quick_;
};

TEST_F(Dispatching, DeliversAndSettlesOnceWithTheTimeItTook) {
  slow_->takes = 3s;
  outbox_.put("slack", 1);
  fakes::run_for(loop_, clock_, 10s);
  ASSERT_THAT(outbox_.settled, SizeIs(1));
  EXPECT_EQ(outbox_.settled[0].entry, 1u);
  EXPECT_EQ(std::get<Delivered>(outbox_.settled[0].delivery).message, "1");
  EXPECT_EQ(outbox_.settled[0].took, Duration{3s});
  EXPECT_EQ(dispatcher_.in_flight(), 0u);
}

TEST_F(Dispatching, GivesEachDeliveryItsDeadline) {
  const auto began = clock_.steady();
  outbox_.put("slack", 1);
  fakes::settle(loop_);
  EXPECT_EQ(slow_->last_deadline, began + limits::delivery_timeout);
}

TEST_F(Dispatching, ANotifierThatNeverEndsIsCutOffAndInDoubt) {
  slow_->takes = 1h;
  outbox_.put("slack", 1);
  fakes::run_for(loop_, clock_, 2min);
  ASSERT_THAT(outbox_.settled, SizeIs(1));
  EXPECT_EQ(class_of(outbox_.settled[0].delivery), "retry, perhaps done");
  EXPECT_EQ(outbox_.settled[0].took, limits::delivery_timeout + Dispatcher::overrun);
  EXPECT_EQ(slow_->running, 0) << "the delivery was cancelled and awaited";
}

TEST_F(Dispatching, ANotifierThatThrowsIsInDoubtAndTheLoopGoesOn) {
  slow_->throws = true;
  outbox_.put("slack", 1);
  outbox_.put("pagerduty/sre", 2);
  fakes::run_for(loop_, clock_, 1s);
  ASSERT_THAT(outbox_.settled, SizeIs(2));
  EXPECT_EQ(class_of(outbox_.settled[0].delivery), "retry, perhaps done");
  EXPECT_THAT(texts_of(outbox_.settled[0].delivery), HasSubstr("a bug"));
  EXPECT_EQ(class_of(outbox_.settled[1].delivery), "delivered");
}

TEST_F(Dispatching, AReceiverThatIsGoneIsRejectedWithASentence) {
  outbox_.put("pagerduty/old", 1);
  fakes::settle(loop_);
  ASSERT_THAT(outbox_.settled, SizeIs(1));
  EXPECT_EQ(class_of(outbox_.settled[0].delivery), "rejected");
  EXPECT_THAT(texts_of(outbox_.settled[0].delivery), HasSubstr("pagerduty/old"));
}

TEST_F(Dispatching, AHangingReceiverNeverKeepsAPageWaiting) {
  slow_->takes = 1h;
  for (std::uint64_t i = 1; i <= 100; ++i) outbox_.put("slack", i);
  fakes::settle(loop_);
  outbox_.put("pagerduty/sre", 1000);
  const auto asked = clock_.steady();
  fakes::settle(loop_);
  EXPECT_EQ(clock_.steady(), asked);
  EXPECT_EQ(slow_->most, static_cast<int>(Dispatcher::in_flight_per_receiver));
  ASSERT_FALSE(outbox_.settled.empty());
  EXPECT_EQ(outbox_.settled.back().entry, 1000u);
  EXPECT_EQ(class_of(outbox_.settled.back().delivery), "delivered");
  for (std::size_t i = 0; i + 1 < outbox_.settled.size(); ++i) {
    const auto& held = std::get<Retry>(outbox_.settled[i].delivery);
    EXPECT_FALSE(held.attempted) << "handed back, not tried";
    EXPECT_FALSE(held.ambiguous);
  }
}

TEST_F(Dispatching, AStormOfPagesIsWorkedOffWithoutAPause) {
  quick_->takes = 100ms;
  for (std::uint64_t i = 1; i <= 40; ++i) outbox_.put("pagerduty/sre", i);
  fakes::run_for(loop_, clock_, 700ms);
  ASSERT_THAT(outbox_.settled, SizeIs(40));
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(class_of(outbox_.settled[i].delivery), "delivered");
    EXPECT_EQ(outbox_.settled[i].took, Duration{100ms});
  }
  EXPECT_EQ(dispatcher_.waiting(), 0u);
}

TEST_F(Dispatching, TwoHangingReceiversLeavePlacesForAThird) {
  auto third = std::make_shared<SlowNotifier>(clock_);
  dispatcher_.replace(
      {{ReceiverId{"a"}, slow_}, {ReceiverId{"b"}, slow_}, {ReceiverId{"c"}, third}});
  slow_->takes = 1h;
  for (std::uint64_t i = 0; i < 20; ++i) outbox_.put(i % 2 == 0 ? "a" : "b", i);
  outbox_.put("c", 100);
  fakes::settle(loop_);
  ASSERT_THAT(outbox_.settled, SizeIs(1));
  EXPECT_EQ(outbox_.settled[0].entry, 100u);
}

TEST_F(Dispatching, NoMoreThanTheBoundAreInFlight) {
  dispatcher_.replace(
      {{ReceiverId{"a"}, slow_}, {ReceiverId{"b"}, slow_}, {ReceiverId{"c"}, slow_}});
  slow_->takes = 5s;
  for (std::uint64_t i = 0; i < 60; ++i)
    outbox_.put(std::string(1, static_cast<char>('a' + i % 3)), i);
  fakes::settle(loop_);
  EXPECT_EQ(dispatcher_.in_flight(), limits::deliveries_in_flight);
  EXPECT_GT(dispatcher_.waiting(), 0u);
  fakes::run_for(loop_, clock_, 1min);
  EXPECT_THAT(outbox_.settled, SizeIs(60));
  EXPECT_LE(slow_->most, static_cast<int>(limits::deliveries_in_flight));
}

TEST_F(Dispatching, AWaitingClaimWhoseReceiverGoesIsRejected) {
  slow_->takes = 5s;
  for (std::uint64_t i = 0; i < Dispatcher::in_flight_per_receiver + 1; ++i)
    outbox_.put("slack", i);
  fakes::settle(loop_);
  EXPECT_EQ(dispatcher_.waiting(), 1u);
  dispatcher_.replace({});
  fakes::run_for(loop_, clock_, 10s);
  ASSERT_THAT(outbox_.settled, SizeIs(Dispatcher::in_flight_per_receiver + 1));
  EXPECT_EQ(dispatcher_.waiting(), 0u);
  std::size_t rejected = 0;
  for (const auto& settled : outbox_.settled)
    rejected += class_of(settled.delivery) == "rejected" ? 1 : 0;
  EXPECT_EQ(rejected, 1u);
}

TEST_F(Dispatching, ShutdownLeavesWhatIsUnderWayUnsettled) {
  slow_->takes = 10s;
  outbox_.put("slack", 1);
  outbox_.put("pagerduty/sre", 2);
  fakes::settle(loop_);
  stop();
  fakes::run_for(loop_, clock_, 1min);
  ASSERT_THAT(outbox_.settled, SizeIs(1));
  EXPECT_EQ(outbox_.settled[0].entry, 2u);
  EXPECT_EQ(slow_->running, 0);
  EXPECT_EQ(dispatcher_.in_flight(), 0u);
}

TEST_F(Dispatching, AReloadLetsTheOldNotifierFinish) {
  slow_->takes = 5s;
  outbox_.put("slack", 1);
  fakes::settle(loop_);
  const std::weak_ptr<SlowNotifier> old = slow_;
  dispatcher_.replace({{ReceiverId{"slack"}, quick_}});
  slow_.reset();
  EXPECT_FALSE(old.expired());
  outbox_.put("slack", 2);
  fakes::run_for(loop_, clock_, 10s);
  EXPECT_THAT(outbox_.settled, SizeIs(2));
  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace tocsin::notify
