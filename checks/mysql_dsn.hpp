#pragma once

#include <cstdint>
#include <string>

#include "tocsin/base/error.hpp"
#include "tocsin/base/secret.hpp"

namespace tocsin::checks {

/// How much of TLS is asked for, in the words of the mysql client's --ssl-mode.
enum class MysqlTls {
  disabled,         ///< Plain.
  required,         ///< Encrypted, to whoever answers.
  verify_ca,        ///< The certificate must be of the authority in ssl-ca.
  verify_identity,  ///< And it must be for the host that was asked for.
};

/// Where a MariaDB or MySQL server is and how to log in: a URL taken apart.
struct MysqlDsn {
  std::string host{};  ///< A name or an address; empty for a unix socket.
  std::uint16_t port{3306};
  std::string socket{};  ///< Path of a unix socket, which then is used instead of the host.
  std::string user{};
  Secret password{};
  std::string database{};
  MysqlTls tls{MysqlTls::disabled};
  std::string ca_file{};    ///< PEM file of authorities; empty: the system's.
  std::string cert_file{};  ///< PEM file of our own certificate, if the server wants one.
  std::string key_file{};

  /// "db-1:3306", "/run/mysqld/mysqld.sock": for sentences.
  std::string place() const;
};

/// Takes apart mysql://USER:PASSWORD@HOST:PORT/DATABASE?KEY=VALUE&… (or mariadb://). Keys: socket,
/// ssl-mode (disabled, required, verify_ca, verify_identity), ssl-ca, ssl-cert, ssl-key. Special
/// characters are written as %XX. With ssl-ca alone the mode is verify_identity. Errors never quote
/// the text, since what is wrong may be the password.
Result<MysqlDsn> parse_mysql_dsn(const Secret& text);

}  // namespace tocsin::checks
