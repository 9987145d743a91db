#pragma once

#include <string>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// The steps of talking to a PostgreSQL server, so that a failure can say which one it was.
enum class PostgresPhase {
  resolve,               ///< Finding the name's addresses.
  connect,               ///< Reaching the server.
  tls,                   ///< Asking for TLS and its handshake.
  authentication,        ///< It refused who we are.
  too_many_connections,  ///< It has no connection left (SQLSTATE 53300).
  starting_up,           ///< It starts, stops or recovers, and takes nobody yet (57P03).
  session,               ///< Whatever else comes before the first query.
  query,                 ///< It answered a query with an error, or not at all.
};
std::string_view to_string(PostgresPhase phase);

/// Why there is no connection or no answer. `error.detail` is the whole sentence.
struct PostgresFault {
  PostgresPhase phase{PostgresPhase::connect};
  std::string sqlstate{};  ///< As the server gave it; empty when these are not its words.
  Error error{};
};

/// What of a message of libpq's are the server's own words.
struct PostgresWords {
  std::string sqlstate{};  ///< Empty when the words are those of libpq.
  std::string message{};   ///< One line, safe to show.
};
/// Finds the words in what PQerrorMessage says of a failed connection, at verbosity "verbose":
/// `connection to server at "db-1" (10.0.0.5), port 5432 failed: FATAL:  28P01: password …`. Of
/// several attempts the first that a server answered counts, else the last. The severity may be in
/// any language, so only the SQLSTATE is read.
PostgresWords connection_words(std::string_view message);

/// A connection that failed while `reached` was under way.
PostgresFault connection_fault(PostgresPhase reached, const std::string& place,
                               std::string_view message);
/// A query that the server answered with an error.
PostgresFault query_fault(const std::string& place, std::string_view sqlstate,
                          std::string_view message);
/// Nothing came in time, in this phase.
PostgresFault silence_fault(PostgresPhase phase, const std::string& place);

/// Whether the fault lies with the server, and not with this host or with a bad query: then it is
/// down. Of the errors that a query gets these tell of a server in trouble: classes 57P (operator
/// intervention), 53 (insufficient resources), 58 (system error), XX (internal error); PostgreSQL
/// manual, appendix A.
bool blames_server(const PostgresFault& fault);

}  // namespace tocsin::checks
