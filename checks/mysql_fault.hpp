#pragma once

#include <string>
#include <string_view>

#include "checks/mysql_call.hpp"
#include "checks/mysql_dsn.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What failed between us and a server.
enum class MysqlPhase {
  resolve,         ///< The name.
  connect,         ///< TCP, or the unix socket.
  greeting,        ///< It accepted the connection and did not speak.
  tls,             ///< The handshake or the certificate.
  authentication,  ///< It does not take our credentials.
  full,            ///< It has no connection left for us (1040, 1203, 1226).
  blocked,         ///< It does not talk to this host (1129, 1130).
  query,           ///< A statement.
};

/// Why talking to a server failed. The sentence names the phase and the place, and never holds the
/// password.
struct MysqlFault {
  MysqlPhase phase{MysqlPhase::connect};
  unsigned number{0};  ///< The server's or the library's; 0 when neither said one.
  Error error{};
};

/// Of a call that ended with a fault: `words` are those of the server or the library.
MysqlFault mysql_fault(const MysqlDsn& dsn, MysqlCall::Stage stage, unsigned number,
                       std::string_view words);
/// Of a call whose time was over.
MysqlFault late_fault(const MysqlDsn& dsn, MysqlCall::Stage stage);
/// Of a server that sent more than is taken in.
MysqlFault flood_fault(const MysqlDsn& dsn);
/// Of an answer with more rows than were asked for.
MysqlFault endless_fault(const MysqlDsn& dsn, std::size_t rows_max);
/// Of a server that offers no TLS although it is wanted.
MysqlFault plain_fault(const MysqlDsn& dsn);
MysqlFault resolve_fault(const MysqlDsn& dsn, const Error& why);

/// Whether the server answered and merely refused the statement: the connection is still good.
bool is_refusal(unsigned number);

}  // namespace tocsin::checks
