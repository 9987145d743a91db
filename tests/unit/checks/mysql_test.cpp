#include "checks/mysql.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mysql_fault.hpp"
#include "tests/unit/checks/canned_network.hpp"
#include "tests/unit/checks/made_check.hpp"

namespace tocsin {
namespace {

using checks::late_fault;
using checks::mysql_fault;
using checks::MysqlCall;
using checks::MysqlDsn;
using checks::MysqlPhase;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Stage = MysqlCall::Stage;

class OneSecret final : public SecretSource {
 public:
  explicit OneSecret(std::string text) : secret_{std::move(text)} {}
  Result<Secret> from_file(const std::string&) const override { return secret_; }
  Result<Secret> from_env(const std::string&) const override { return secret_; }
  Result<Secret> from_credential(const std::string&) const override { return secret_; }

 private:
  Secret secret_;
};

struct Built {
  std::unique_ptr<Check> check{};
  std::vector<std::string> complaints{};
};
Built built(std::string dsn, std::vector<std::pair<std::string, Node>> more = {}) {
  Complaints complaints;
  const OneSecret secrets{std::move(dsn)};
  Decoding decoding{complaints, secrets, {}};
  more.emplace_back("dsn", map_of({{"file", word("/etc/tocsin/db.dsn")}}));
  const auto map = map_of(std::move(more));
  Built out;
  out.check = mysql_check().build("db", map, decoding);
  for (const auto& complaint : complaints.all())
    out.complaints.push_back(complaint.path + ": " + complaint.message);
  return out;
}

/// A network whose resolver knows nothing.
class Nameless final : public Network {
 public:
  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }
  Task<std::vector<std::string>> resolve(std::string, SteadyTime) override { co_return fault; }
  Error fault{Errc::unresolved, "Name or service not known"};
};

TEST(Mysql, AServerThatCannotBeFoundIsDownAndSaysWhy) {
  Nameless network;
  fakes::FakeHost host{&network};
  const auto db = built("mysql://tocsin:hunter2@db-1/");
  ASSERT_THAT(db.complaints, IsEmpty());
  const auto samples = host.run(*db.check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*db.check, *samples, "up"), 0);
  const auto evidence = host.evidence(*db.check);
  EXPECT_THAT(evidence.lines, ElementsAre("resolve db-1 failed: Name or service not known"));
  EXPECT_EQ(evidence.probable_cause, "resolve db-1 failed: Name or service not known");
}

TEST(Mysql, OurOwnTroubleSaysNothingOfTheServer) {
  Nameless network;
  network.fault = {Errc::internal, "Too many open files"};
  fakes::FakeHost host{&network};
  const auto db = built("mysql://tocsin:hunter2@db-1/");
  EXPECT_FALSE(host.run(*db.check));
  const auto secured = built("mysql://tocsin:hunter2@db-1/?ssl-ca=/nowhere/ca.pem");
  const auto outcome = host.run(*secured.check);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().detail, HasSubstr("/nowhere/ca.pem cannot be read: No such file"));
}

TEST(Mysql, AMissingSocketIsAServerThatIsDown) {
  Nameless network;
  fakes::FakeHost host{&network};
  const auto db = built("mysql://tocsin:hunter2@/?socket=/nowhere/mysqld.sock");
  const auto samples = host.run(*db.check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*db.check, *samples, "up"), 0);
  EXPECT_THAT(host.evidence(*db.check).probable_cause,
              HasSubstr("connect to /nowhere/mysqld.sock failed: No such file or directory"));
}

TEST(Mysql, QueriesBecomeSamples) {
  const auto db =
      built("mysql://tocsin@db-1/", {{"queries", map_of({{"oldest_order_seconds", word("SELECT 1")},
                                                         {"signups", word("SELECT 2")}})}});
  ASSERT_THAT(db.complaints, IsEmpty());
  std::vector<std::string> names;
  for (const auto& spec : db.check->specs()) names.push_back(spec.name);
  EXPECT_THAT(names, Contains("signups"));
  EXPECT_THAT(names, Contains("replica_running"));
}

TEST(Mysql, BadParametersAreComplainedOf) {
  EXPECT_THAT(
      built("mysql://hunter2@db:0/").complaints,
      ElementsAre(AllOf(HasSubstr("dsn: the dsn needs a port"), Not(HasSubstr("hunter2")))));
  EXPECT_THAT(built("mysql://u@db/", {{"queries", map_of({{"up", word("SELECT 1")}})}}).complaints,
              ElementsAre(HasSubstr("queries: the name \"up\"")));
}

TEST(MysqlFault, NamesThePhase) {
  MysqlDsn dsn;
  dsn.host = "db-1";
  const auto sentence = [&](Stage stage, unsigned number, std::string_view words) {
    return mysql_fault(dsn, stage, number, words).error.detail;
  };
  EXPECT_EQ(sentence(Stage::connect, 2002, "Can't connect to server on '10.0.0.1' (111)"),
            "connect to db-1:3306 failed: Connection refused");
  EXPECT_EQ(sentence(Stage::authentication, 1045, "Access denied for user 'u'@'h'"),
            "authentication at db-1:3306 failed: Access denied for user 'u'@'h' (1045)");
  EXPECT_EQ(sentence(Stage::greeting, 1040, "Too many connections"),
            "db-1:3306 has no connection left for us: Too many connections (1040)");
  EXPECT_EQ(mysql_fault(dsn, Stage::authentication, 1203, "x").phase, MysqlPhase::full);
  EXPECT_EQ(mysql_fault(dsn, Stage::greeting, 1129, "Host 'h' is blocked").phase,
            MysqlPhase::blocked);
  EXPECT_EQ(mysql_fault(dsn, Stage::tls, 2026, "TLS/SSL error").phase, MysqlPhase::tls);
  EXPECT_THAT(sentence(Stage::greeting, 2013, "Lost connection"),
              HasSubstr("closed the connection before its greeting"));
  EXPECT_EQ(mysql_fault(dsn, Stage::ready, 1064, "syntax").error.code, Errc::refused);
  EXPECT_EQ(mysql_fault(dsn, Stage::ready, 2013, "Lost").error.code, Errc::disconnected);
  EXPECT_EQ(mysql_fault(dsn, Stage::connect, 2002, "Can't create socket (24)").error.code,
            Errc::internal);
  EXPECT_EQ(sentence(Stage::ready, 1064, "two\nlines"),
            "a query at db-1:3306 failed: two lines (1064)");
}

TEST(MysqlFault, OfATimeoutNamesWhatWasWaitedFor) {
  MysqlDsn dsn;
  dsn.host = "db-1";
  EXPECT_EQ(late_fault(dsn, Stage::connect).error.detail,
            "connect to db-1:3306 failed: no answer in time");
  EXPECT_EQ(late_fault(dsn, Stage::greeting).error.detail,
            "db-1:3306 accepted the connection and did not finish its greeting in time");
  EXPECT_EQ(late_fault(dsn, Stage::tls).error.detail,
            "TLS with db-1:3306 failed: the handshake did not end in time");
  EXPECT_EQ(late_fault(dsn, Stage::authentication).phase, MysqlPhase::authentication);
  EXPECT_EQ(late_fault(dsn, Stage::ready).phase, MysqlPhase::query);
}

}  // namespace
}  // namespace tocsin
