#include "checks/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checks/queue.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Every secret is the text that it is asked for by.
class OpenSecrets final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string& path) const override { return Secret{path}; }
  Result<Secret> from_env(const std::string& name) const override { return Secret{name}; }
  Result<Secret> from_credential(const std::string& name) const override { return Secret{name}; }
};

struct Built {
  std::unique_ptr<Check> check;
  std::vector<std::string> complaints{};
};

Node secret(const std::string& text) { return map_of({{"file", word(text)}}); }

Built build(const CheckType& type, const Node& map) {
  Complaints complaints;
  const OpenSecrets secrets;
  Decoding decoding{complaints, secrets, {}};
  Built built{type.build("test", map, decoding)};
  for (const auto& complaint : complaints.all())
    built.complaints.push_back(complaint.path + ": " + complaint.message);
  return built;
}

Built build_dsn(const std::string& dsn) {
  return build(postgres_check(), map_of({{"dsn", secret(dsn)}}));
}

/// Names cannot be resolved here, and sockets are refused.
class DeafNetwork final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }
  Task<std::vector<std::string>> resolve(std::string host, SteadyTime) override {
    if (host == "self") co_return std::vector<std::string>{"127.0.0.1"};
    co_return Error{code, "resolve " + host + " failed: no name server answered"};
  }
  Task<void> ready(int, Readiness, SteadyTime) override {
    co_return Error{Errc::timed_out, "no answer in time"};
  }
  Errc code{Errc::unresolved};
};

TEST(Postgres, TellsWhichStepFailed) {
  DeafNetwork network;
  fakes::FakeHost host{&network};
  const auto away = build_dsn("host=db-1 user=tocsin password=hunter2").check;
  const auto samples = host.run(*away);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(samples->size(), 1u);
  EXPECT_EQ(value_of(*away, *samples, "up"), 0);
  const auto evidence = host.evidence(*away);
  EXPECT_THAT(evidence.lines, ElementsAre("resolve db-1 failed: no name server answered"));
  EXPECT_EQ(evidence.probable_cause, evidence.lines[0]);

  const auto silent = build_dsn("host=self user=tocsin").check;
  EXPECT_EQ(value_of(*silent, *host.run(*silent), "up"), 0);
  EXPECT_THAT(host.evidence(*silent).probable_cause,
              "connect to self:5432 failed: no answer in time");
  const auto missing = build_dsn("host=/nonexistent user=tocsin").check;
  EXPECT_EQ(value_of(*missing, *host.run(*missing), "up"), 0);
  EXPECT_THAT(host.evidence(*missing).probable_cause,
              "connect to /nonexistent:5432 failed: No such file or directory");
}

TEST(Postgres, OurOwnTroubleIsNotTheServers) {
  DeafNetwork network;
  network.code = Errc::internal;
  fakes::FakeHost host{&network};
  EXPECT_FALSE(host.run(*build_dsn("host=db-1 user=tocsin").check));
  const auto wrong = host.run(*build_dsn("host=self user=tocsin sslmode=hunter2").check);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("does not take the dsn of self:5432"));
}

TEST(Postgres, ComplainsOfADsnWithoutShowingIt) {
  for (const auto* dsn : {"hunter2", "user=tocsin password=hunter2", "host=a,b user=t"}) {
    const auto built = build_dsn(dsn);
    EXPECT_EQ(built.check, nullptr);
    EXPECT_THAT(built.complaints,
                ElementsAre(AllOf(HasSubstr("dsn: the dsn "), Not(HasSubstr("hunter2")))));
  }
  EXPECT_THAT(build(postgres_check(), map_of({})).complaints, Not(IsEmpty()));
}

TEST(Postgres, QueriesAreSamplesOfTheirNames) {
  const auto built =
      build(postgres_check(),
            map_of({{"dsn", secret("host=db-1 user=t")},
                    {"queries", map_of({{"unsent_mails", word("SELECT 1")},
                                        {"oldest_order_seconds", word("SELECT 2")}})}}));
  ASSERT_NE(built.check, nullptr);
  const auto specs = built.check->specs();
  const auto find = [&](std::string_view name) {
    return std::find_if(specs.begin(), specs.end(), [&](auto& spec) { return spec.name == name; });
  };
  ASSERT_NE(find("unsent_mails"), specs.end());
  ASSERT_NE(find("oldest_order_seconds"), specs.end());
  EXPECT_EQ(find("oldest_order_seconds")->unit, Unit::seconds);
  EXPECT_EQ(specs.size(), postgres_check().samples.size() + 2);
  const auto taken = build(
      postgres_check(),
      map_of({{"dsn", secret("host=db-1 user=t")}, {"queries", map_of({{"up", word("SELECT")}})}}));
  EXPECT_THAT(taken.complaints, Contains(HasSubstr("queries: ")));
}

TEST(Postgres, IsABackEndOfTheQueue) {
  const auto with = [](const Node& source) {
    return build(queue_check(), map_of({{"from", map_of({{"postgres", source}})}}));
  };
  DeafNetwork network;
  fakes::FakeHost host{&network};
  const auto built =
      with(map_of({{"dsn", secret("host=db-1 user=t dbname=shop")}, {"query", word("SELECT 1")}}));
  ASSERT_NE(built.check, nullptr) << ::testing::PrintToString(built.complaints);
  const auto samples = host.run(*built.check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*built.check, *samples, "up"), 0);
  EXPECT_THAT(host.evidence(*built.check).probable_cause, HasSubstr("resolve db-1 failed"));
  EXPECT_THAT(with(map_of({{"dsn", secret("hunter2")}, {"query", word("")}})).complaints,
              ElementsAre(AllOf(HasSubstr("from.postgres.dsn"), Not(HasSubstr("hunter2"))),
                          HasSubstr("from.postgres.query")));
}

}  // namespace
}  // namespace tocsin
