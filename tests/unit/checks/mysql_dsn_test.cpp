#include "checks/mysql_dsn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<MysqlDsn> parsed(std::string text) { return parse_mysql_dsn(Secret{std::move(text)}); }

TEST(MysqlDsn, IsTakenApart) {
  const auto dsn = parsed("mysql://tocsin:s%3Ac%40ret@db-1:3307/shop");
  ASSERT_TRUE(dsn) << dsn.error().detail;
  EXPECT_EQ(dsn->user, "tocsin");
  EXPECT_EQ(dsn->password.reveal(), "s:c@ret");
  EXPECT_EQ(dsn->host, "db-1");
  EXPECT_EQ(dsn->port, 3307);
  EXPECT_EQ(dsn->database, "shop");
  EXPECT_EQ(dsn->tls, MysqlTls::disabled);
  EXPECT_EQ(dsn->place(), "db-1:3307");
}

TEST(MysqlDsn, HasDefaults) {
  const auto dsn = parsed("mariadb://tocsin@[::1]");
  ASSERT_TRUE(dsn) << dsn.error().detail;
  EXPECT_EQ(dsn->host, "::1");
  EXPECT_EQ(dsn->port, 3306);
  EXPECT_TRUE(dsn->password.empty());
  EXPECT_EQ(dsn->database, "");
  EXPECT_EQ(dsn->place(), "[::1]:3306");
}

TEST(MysqlDsn, AnAtSignInThePasswordDoesNoHarm) {
  const auto dsn = parsed("mysql://u:p@ss@db/");
  ASSERT_TRUE(dsn);
  EXPECT_EQ(dsn->password.reveal(), "p@ss");
  EXPECT_EQ(dsn->host, "db");
}

TEST(MysqlDsn, NamesAUnixSocket) {
  const auto dsn = parsed("mysql://u:p@/shop?socket=/run/mysqld/mysqld.sock");
  ASSERT_TRUE(dsn) << dsn.error().detail;
  EXPECT_EQ(dsn->socket, "/run/mysqld/mysqld.sock");
  EXPECT_EQ(dsn->place(), "/run/mysqld/mysqld.sock");
}

TEST(MysqlDsn, AnAuthorityMeansThatTheNameIsVerified) {
  const auto dsn = parsed("mysql://u:p@db/?ssl-ca=/etc/ssl/db.pem");
  ASSERT_TRUE(dsn) << dsn.error().detail;
  EXPECT_EQ(dsn->tls, MysqlTls::verify_identity);
  EXPECT_EQ(dsn->ca_file, "/etc/ssl/db.pem");
  EXPECT_EQ(parsed("mysql://u@db/?ssl_mode=VERIFY_CA&ssl_ca=/a.pem")->tls, MysqlTls::verify_ca);
  EXPECT_EQ(parsed("mysql://u@db/?ssl-mode=REQUIRED")->tls, MysqlTls::required);
}

TEST(MysqlDsn, FaultsAreNamedAndNeverQuoted) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"db-1", "does not begin as a URL: mysql://HOST:PORT/DATABASE with USER:PASSWORD@"},
      {"postgres://hunter2@db", "does not begin as a URL"},
      {"mysql://db-1/", "names no user"},
      {"mysql://:hunter2@db-1/", "names no user"},
      {"mysql://u:hunter2@/", "neither a host nor a unix socket"},
      {"mysql://u:hunter2@db:/", "no port after it"},
      {"mysql://u:hunter2@db:99999/", "port from 1 to 65535"},
      {"mysql://u:hunter2@[::1/", "no ']'"},
      {"mysql://u:hunter2@[::1]x/", "between ']' and port"},
      {"mysql://u:hunter2@d b/", "blank or control"},
      {"mysql://u:hunter2@d!b/", "character in it that no host has"},
      {"mysql://u:hunter2%4@db/", "not followed by two hex digits"},
      {"mysql://u:hunter2%00@db/", "not followed by two hex digits"},
      {"mysql://u:hunter2@db/a/b", "database name"},
      {"mysql://u:hunter2@db/?hunter2", "not KEY=VALUE"},
      {"mysql://u:hunter2@db/?hunter2=1", "none of socket, ssl-mode"},
      {"mysql://u:hunter2@db/?ssl-mode=hunter2", "ssl-mode that is none of"},
      {"mysql://u:hunter2@db/?ssl-mode=verify_ca", "no ssl-ca"},
      {"mysql://u:hunter2@db/?ssl-mode=disabled&ssl-ca=/a", "contradict"},
      {"mysql://u:hunter2@db/?ssl-mode=required&ssl-ca=/a", "use verify_ca"},
      {"mysql://u:hunter2@db/?ssl-mode=required&ssl-cert=/a", "together"},
      {"mysql://u:hunter2@db/?ssl-cert=/a&ssl-key=/b", "no ssl-mode"},
      {"mysql://u:hunter2@db/?ssl-ca=hunter2.pem", "absolute path"},
      {"mysql://u:hunter2@/?socket=/" + std::string(120, 'x'), "longer than 107 bytes"},
      {"mysql://u:hunter2@db/" + std::string(5000, 'x'), "longer than 4096 bytes"},
  };
  for (const auto& [text, why] : cases) {
    const auto dsn = parsed(text);
    ASSERT_FALSE(dsn) << text;
    EXPECT_EQ(dsn.error().code, Errc::malformed);
    EXPECT_THAT(dsn.error().detail, HasSubstr(why));
    EXPECT_THAT(dsn.error().detail, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace tocsin::checks
