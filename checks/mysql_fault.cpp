#include "checks/mysql_fault.hpp"

#include <cstring>
#include <optional>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t words_characters_max = 200;

// Of the client library: errmsg.h. Those from 2000 on are never the server's.
constexpr unsigned client_first = 2000, client_last = 2999, own_client_first = 5000;
constexpr unsigned cr_socket_create_error = 2001, cr_connection_error = 2002,
                   cr_conn_host_error = 2003, cr_ipsock_error = 2004, cr_server_gone = 2006,
                   cr_out_of_memory = 2008, cr_server_lost = 2013, cr_ssl_connection_error = 2026;
// Of the server: mysqld_error.h.
constexpr unsigned er_con_count = 1040, er_server_shutdown = 1053, er_host_is_blocked = 1129,
                   er_host_not_privileged = 1130, er_too_many_user_connections = 1203,
                   er_user_limit_reached = 1226, er_connection_killed = 1927,
                   er_client_interaction_timeout = 4031;

bool is_of_client(unsigned number) {
  return (number >= client_first && number <= client_last) ||
         (number >= own_client_first && number < own_client_first + 100);
}

/// "Access denied for user …" on one line, with the number: people search for it.
std::string said(std::string_view words, unsigned number) {
  auto text = cut_characters(trim(clean_utf8(words)), words_characters_max);
  for (auto& c : text)
    if (c == '\n' || c == '\t') c = ' ';
  if (text.empty()) text = "no reason given";
  return number == 0 ? text : text + " (" + std::to_string(number) + ")";
}

/// The library says only "(111)" at the end of its sentence.
std::optional<int> system_error_in(std::string_view words) {
  const auto open = words.rfind('(');
  const auto close = words.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const auto number = to_number(words.substr(open + 1, close - open - 1));
  if (!number || *number == 0 || *number > 4095) return std::nullopt;
  return static_cast<int>(*number);
}

bool is_own_trouble(int system_error) {
  return system_error == EMFILE || system_error == ENFILE || system_error == ENOMEM ||
         system_error == ENOBUFS || system_error == EADDRNOTAVAIL || system_error == EACCES;
}

MysqlFault connect_fault(const std::string& place, unsigned number, std::string_view words) {
  const auto system_error = system_error_in(words);
  const auto why = system_error ? std::string{std::strerror(*system_error)} : said(words, number);
  const bool ours = number == cr_socket_create_error || number == cr_ipsock_error ||
                    (system_error && is_own_trouble(*system_error));
  return {MysqlPhase::connect,
          number,
          {ours ? Errc::internal : Errc::unreachable, "connect to " + place + " failed: " + why}};
}

MysqlFault connecting_fault(const std::string& place, MysqlCall::Stage stage, unsigned number,
                            std::string_view words) {
  switch (stage) {
    case MysqlCall::Stage::connect:
    case MysqlCall::Stage::greeting:
      if (number == cr_server_lost || number == cr_server_gone)
        return {MysqlPhase::greeting,
                number,
                {Errc::disconnected, place + " closed the connection before its greeting"}};
      return {MysqlPhase::greeting,
              number,
              {Errc::protocol,
               place + " did not greet as a MariaDB or MySQL server: " + said(words, number)}};
    case MysqlCall::Stage::tls:
      return {MysqlPhase::tls,
              number,
              {Errc::tls, "TLS with " + place + " failed: " + said(words, number)}};
    case MysqlCall::Stage::authentication:
    case MysqlCall::Stage::ready:
      break;
  }
  return {MysqlPhase::authentication,
          number,
          {Errc::refused, "authentication at " + place + " failed: " + said(words, number)}};
}

}  // namespace

bool is_refusal(unsigned number) {
  return number != 0 && !is_of_client(number) && number != er_server_shutdown &&
         number != er_connection_killed && number != er_client_interaction_timeout;
}

MysqlFault mysql_fault(const MysqlDsn& dsn, MysqlCall::Stage stage, unsigned number,
                       std::string_view words) {
  const auto place = dsn.place();
  if (number == cr_out_of_memory)
    return {MysqlPhase::connect, number, {Errc::internal, "out of memory while at " + place}};
  if (stage == MysqlCall::Stage::ready) {
    const auto code = is_refusal(number) ? Errc::refused : Errc::disconnected;
    return {MysqlPhase::query,
            number,
            {code, "a query at " + place + " failed: " + said(words, number)}};
  }
  switch (number) {
    case cr_socket_create_error:
    case cr_connection_error:
    case cr_conn_host_error:
    case cr_ipsock_error:
      return connect_fault(place, number, words);
    case er_con_count:
    case er_too_many_user_connections:
    case er_user_limit_reached:
      return {MysqlPhase::full,
              number,
              {Errc::refused, place + " has no connection left for us: " + said(words, number)}};
    case er_host_is_blocked:
    case er_host_not_privileged:
      return {MysqlPhase::blocked,
              number,
              {Errc::refused, place + " does not talk to this host: " + said(words, number)}};
    case cr_ssl_connection_error:
      return {MysqlPhase::tls,
              number,
              {Errc::tls, "TLS with " + place + " failed: " + said(words, number)}};
    default:
      return connecting_fault(place, stage, number, words);
  }
}

MysqlFault late_fault(const MysqlDsn& dsn, MysqlCall::Stage stage) {
  const auto place = dsn.place();
  const auto late = [&](MysqlPhase phase, std::string sentence) {
    return MysqlFault{phase, 0, {Errc::timed_out, std::move(sentence)}};
  };
  switch (stage) {
    case MysqlCall::Stage::connect:
      return late(MysqlPhase::connect, "connect to " + place + " failed: no answer in time");
    case MysqlCall::Stage::greeting:
      return late(MysqlPhase::greeting,
                  place + " accepted the connection and did not finish its greeting in time");
    case MysqlCall::Stage::tls:
      return late(MysqlPhase::tls,
                  "TLS with " + place + " failed: the handshake did not end in time");
    case MysqlCall::Stage::authentication:
      return late(MysqlPhase::authentication,
                  "authentication at " + place + " failed: no verdict in time");
    case MysqlCall::Stage::ready:
      break;
  }
  return late(MysqlPhase::query, "a query at " + place + " failed: no answer in time");
}

MysqlFault flood_fault(const MysqlDsn& dsn) {
  return {MysqlPhase::query,
          0,
          {Errc::too_large,
           dsn.place() + " sent more than " +
               describe_quantity(static_cast<double>(MysqlCall::bytes_max), Unit::bytes) +
               " and was cut off"}};
}

MysqlFault endless_fault(const MysqlDsn& dsn, std::size_t rows_max) {
  return {MysqlPhase::query,
          0,
          {Errc::too_large, dsn.place() + " answered with more than " + std::to_string(rows_max) +
                                " rows and was cut off"}};
}

MysqlFault plain_fault(const MysqlDsn& dsn) {
  return {MysqlPhase::tls,
          0,
          {Errc::tls, "TLS with " + dsn.place() + " failed: the server does not offer it"}};
}

MysqlFault resolve_fault(const MysqlDsn& dsn, const Error& why) {
  const auto code = why.code == Errc::internal || why.code == Errc::cancelled ? why.code
                    : why.code == Errc::timed_out                             ? Errc::timed_out
                                                                              : Errc::unresolved;
  return {MysqlPhase::resolve, 0, {code, "resolve " + dsn.host + " failed: " + why.detail}};
}

}  // namespace tocsin::checks
