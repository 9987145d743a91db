#include "agent/net/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>

#include "tests/unit/net/loopback.hpp"

namespace tocsin::net::testing {
namespace {

using ::testing::HasSubstr;

/// A resolver that answers from a table, or hangs until it is let go.
class FakeResolver {
 public:
  ~FakeResolver() { let_go(); }
  NetworkOptions options() {
    NetworkOptions out;
    out.resolve = [state = state_](const std::string& host) { return state->answer(host); };
    return out;
  }
  /// Wakes this loop whenever a call begins to hang.
  void tell(asio::io_context& loop) { state_->told = &loop; }
  void set(const std::string& host, Result<std::vector<std::string>> answer) {
    const std::lock_guard lock{state_->mutex};
    state_->answers.insert_or_assign(host, std::move(answer));
  }
  void let_go() {
    const std::lock_guard lock{state_->mutex};
    state_->released = true;
    state_->bell.notify_all();
  }
  int asked() const {
    const std::lock_guard lock{state_->mutex};
    return state_->asked;
  }
  int hanging() const {
    const std::lock_guard lock{state_->mutex};
    return state_->hanging;
  }
  void wait_for_hanging(int count) const {
    std::unique_lock lock{state_->mutex};
    state_->bell.wait(lock, [&] { return state_->hanging >= count; });
  }

 private:
  struct State {
    Result<std::vector<std::string>> answer(const std::string& host) {
      std::unique_lock lock{mutex};
      ++asked;
      if (const auto entry = answers.find(host); entry != answers.end()) return entry->second;
      ++hanging;
      bell.notify_all();
      if (told != nullptr) asio::post(*told, [] {});
      bell.wait(lock, [&] { return released; });
      --hanging;
      return Error{Errc::unresolved, "let go"};
    }
    mutable std::mutex mutex{};
    std::condition_variable bell{};
    std::map<std::string, Result<std::vector<std::string>>> answers{};
    asio::io_context* told{nullptr};
    int asked{0};
    int hanging{0};
    bool released{false};
  };
  std::shared_ptr<State> state_{std::make_shared<State>()};
};

HttpRequest named(const World& world, const std::string& host, std::uint16_t port) {
  auto request = world.request(port);
  request.url.host = host;
  return request;
}

TEST(Resolving, LiteralsAndLocalhostAreNeverAsked) {
  EXPECT_EQ(known_addresses("127.0.0.1")->size(), 1u);
  EXPECT_EQ(known_addresses("::1")->size(), 1u);
  EXPECT_EQ(known_addresses("localhost")->size(), 2u);
  EXPECT_FALSE(known_addresses("example.com"));
  FakeResolver dns;
  World world{dns.options()};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  ASSERT_TRUE(world.http(named(world, "localhost", server.port())).response);
  EXPECT_EQ(dns.asked(), 0);
}

TEST(Resolving, AnswersAreUsedAgainForAWhile) {
  FakeResolver dns;
  dns.set("web.test", std::vector<std::string>{"127.0.0.1"});
  World world{dns.options()};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  const auto once = [&] {
    const auto outcome = world.http(named(world, "web.test", server.port()));
    ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
    EXPECT_TRUE(outcome.response->times.resolve);
  };
  once();
  once();
  EXPECT_EQ(dns.asked(), 1);
  world.clock.advance(10s);
  once();
  EXPECT_EQ(dns.asked(), 2);
}

TEST(Resolving, AFailureNamesTheHostAndTheReason) {
  FakeResolver dns;
  dns.set("gone.test", Error{Errc::unresolved, "Name or service not known"});
  dns.set("empty.test", std::vector<std::string>{});
  World world{dns.options()};
  const auto gone = world.http(named(world, "gone.test", 1));
  ASSERT_TRUE(gone.failure);
  EXPECT_EQ(gone.failure->phase, NetPhase::resolve);
  EXPECT_EQ(gone.failure->error.code, Errc::unresolved);
  EXPECT_EQ(gone.failure->error.detail, "resolve gone.test failed: Name or service not known");
  EXPECT_THAT(world.http(named(world, "empty.test", 1)).failure->error.detail,
              HasSubstr("no address"));
}

TEST(Resolving, AddressesAreTriedInTurn) {
  FakeResolver dns;
  dns.set("many.test", std::vector<std::string>{"127.0.0.2", "127.0.0.1"});
  World world{dns.options()};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("second"))}}};
  const auto outcome = world.http(named(world, "many.test", server.port()));
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
  const auto none = world.http(named(world, "many.test", closed_port()));
  ASSERT_TRUE(none.failure);
  EXPECT_THAT(none.failure->error.detail,
              HasSubstr("(127.0.0.1, the last of 2) failed: Connection"));
}

TEST(Resolving, AHungResolverCostsItsOwnChecksOnlyAndNoMoreThreads) {
  FakeResolver dns;
  dns.set("quick.test", std::vector<std::string>{"127.0.0.1"});
  World world{dns.options()};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  dns.tell(world.loop);
  for (int round = 0; round < 3; ++round) {
    const auto hung = world.past(world.network->http(named(world, "hung.test", 1)),
                                 [&] { return dns.hanging() == 1; });
    ASSERT_TRUE(hung.failure);
    EXPECT_EQ(hung.failure->error.code, Errc::timed_out);
    EXPECT_THAT(hung.failure->error.detail, HasSubstr("resolve hung.test failed: no answer"));
    EXPECT_EQ(dns.hanging(), 1) << "the same question is not asked twice";
    ASSERT_TRUE(world.http(named(world, "quick.test", server.port())).response);
  }
}

asio::awaitable<void> ask(Resolver& resolver, std::string host, SteadyTime deadline,
                          int& timed_out) {
  auto asking = resolver.resolve(std::move(host), deadline);
  const auto answer = co_await std::move(asking);
  timed_out += !answer && answer.error().code == Errc::timed_out;
}

TEST(Resolving, ThreadsAreBoundedHoweverManyNamesHang) {
  asio::io_context loop;
  fakes::ManualClock clock;
  FakeResolver dns;
  {
    DeadlineWatch watch{loop.get_executor(), clock};
    Resolver resolver{loop.get_executor(), watch, 3, 10s, dns.options().resolve};
    int timed_out = 0;
    for (int i = 0; i < 10; ++i)
      asio::co_spawn(
          loop, ask(resolver, "h" + std::to_string(i) + ".test", clock.steady() + 5s, timed_out),
          asio::detached);
    fakes::settle(loop);
    dns.wait_for_hanging(3);
    EXPECT_EQ(resolver.threads(), 3u);
    clock.advance(5s);
    fakes::settle(loop);
    EXPECT_EQ(timed_out, 10);
    EXPECT_EQ(resolver.threads(), 3u);
  }
  // The threads outlive the resolver without harm.
  dns.let_go();
  fakes::settle(loop);
}

TEST(LastGoodAddress, ServesWhenTheResolverFails) {
  FakeResolver dns;
  dns.set("hooks.test", std::vector<std::string>{"127.0.0.1"});
  std::map<std::string, std::string> kept;
  auto options = dns.options();
  options.save_address = [&](const std::string& host, const std::string& address) {
    kept[host] = address;
  };
  World world{options};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  auto request = named(world, "hooks.test", server.port());
  request.last_good_address = true;
  ASSERT_TRUE(world.http(request).response);
  EXPECT_EQ(kept["hooks.test"], "127.0.0.1");

  dns.set("hooks.test", Error{Errc::unresolved, "Temporary failure in name resolution"});
  world.clock.advance(1min);
  request.deadline = world.clock.steady() + 5s;
  ASSERT_TRUE(world.http(request).response);
  request.last_good_address = false;
  EXPECT_FALSE(world.http(request).response);
}

TEST(LastGoodAddress, IsSavedOnlyWhenTheOldOneIsGone) {
  std::vector<std::string> saved;
  LastGood book{{}, [&](const std::string& host, const std::string& address) {
                  saved.push_back(host + " " + address);
                }};
  const auto a = asio::ip::make_address("10.0.0.1");
  const auto b = asio::ip::make_address("10.0.0.2");
  book.worked("h", a, {a, b});
  book.worked("h", b, {b, a});
  EXPECT_THAT(saved, ::testing::ElementsAre("h 10.0.0.1"));
  book.worked("h", b, {b});
  EXPECT_THAT(saved, ::testing::ElementsAre("h 10.0.0.1", "h 10.0.0.2"));
  EXPECT_EQ(book.find("h"), b);
}

TEST(LastGoodAddress, LiteralsAreNotKept) {
  FakeResolver dns;
  auto options = dns.options();
  int saves = 0;
  options.save_address = [&](const std::string&, const std::string&) { ++saves; };
  World world{options};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  auto request = world.request(server.port());
  request.last_good_address = true;
  ASSERT_TRUE(world.http(request).response);
  EXPECT_EQ(saves, 0);
}

TEST(LastGoodAddress, SurvivesARestartAndAHungResolver) {
  FakeResolver dns;
  auto options = dns.options();
  options.load_address = [](const std::string& host) {
    return host == "hooks.test" ? std::optional<std::string>{"127.0.0.1"} : std::nullopt;
  };
  World world{options};
  TcpServer server{world.loop, World::anywhere(), {{hear(), say(http_ok("1"))}}};
  auto request = named(world, "hooks.test", server.port());
  request.last_good_address = true;
  request.deadline = world.clock.steady() + 20s;
  dns.tell(world.loop);
  // A quarter of the time is the resolver's; the rest is enough for the old address.
  const auto outcome = world.past(
      world.network->http(request), [&] { return dns.hanging() == 1; }, 5s);
  ASSERT_TRUE(outcome.response) << outcome.failure->error.detail;
}

}  // namespace
}  // namespace tocsin::net::testing
