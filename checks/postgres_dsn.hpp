#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/secret.hpp"

namespace tocsin::checks {

/// Where a PostgreSQL server is and how to log in: a connection string of libpq ("host=db-1
/// user=tocsin password=…") or a URI ("postgresql://tocsin@db-1/shop"), taken apart.
struct PostgresDsn {
  std::string host{};         ///< A name or an address; empty for a unix socket.
  std::string address{};      ///< A given `hostaddr`: nothing is resolved then.
  std::string socket_path{};  ///< The folder of a unix socket.
  std::uint16_t port{5432};
  std::string user{};
  /// What else was given, with the defaults of libpq that would lead to files and variables of this
  /// host replaced. Without host, hostaddr and port.
  std::vector<std::pair<std::string, Secret>> options{};

  /// "db-1:5432", "/run/postgresql:5432": for sentences.
  std::string place() const;
};

/// Takes a connection string apart. Errors never quote it, since what is wrong may be the password.
/// One server a string; it must name its host and its user. Errc::malformed, or Errc::refused when
/// the environment has a variable that libpq would obey and that no option can overrule.
Result<PostgresDsn> parse_postgres_dsn(const Secret& text);

}  // namespace tocsin::checks
