#include "checks/mysql_dsn.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "checks/late_library.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t dsn_bytes_max = 4096;
/// What fits into sockaddr_un, unix(7), with its final NUL; the library copies without looking.
constexpr std::size_t socket_path_bytes_max = 107;

// Written with a user before the host, the URL would be masked as if it held a secret.
constexpr const char* no_url =
    "does not begin as a URL: mysql://HOST:PORT/DATABASE with USER:PASSWORD@ before the host";
constexpr const char* no_user = "names no user: put USER:PASSWORD@ before the host";

Error bad_dsn(std::string what) { return {Errc::malformed, "the dsn " + std::move(what)}; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// %XX undone; nothing when a '%' is not followed by two digits, or a NUL would come of it.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Splits at the first `separator`: what stands before, and what after it, if it is there at all.
std::pair<std::string_view, std::optional<std::string_view>> parted(std::string_view text,
                                                                    char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, at), text.substr(at + 1)};
}

Result<void> read_login(std::string_view login, MysqlDsn& into) {
  const auto [user, password] = parted(login, ':');
  const auto plain_user = decoded(user);
  const auto plain_password = decoded(password.value_or(std::string_view{}));
  if (!plain_user || !plain_password)
    return bad_dsn("has a '%' in its user or password that is not followed by two hex digits");
  if (plain_user->empty()) return bad_dsn(no_user);
  into.user = *plain_user;
  into.password = Secret{*plain_password};
  return {};
}

Result<void> read_place(std::string_view place, MysqlDsn& into) {
  if (place.empty()) return {};
  std::string_view port;
  std::string_view host = place;
  if (place.front() == '[') {
    const auto end = place.find(']');
    if (end == std::string_view::npos) return bad_dsn("has an address with '[' and no ']'");
    host = place.substr(1, end - 1);
    const auto rest = place.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return bad_dsn("has something between ']' and port");
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return bad_dsn("has a ':' and no port after it");
  } else if (const auto [name, number] = parted(place, ':'); number) {
    host = name;
    port = *number;
    if (port.empty()) return bad_dsn("has a ':' and no port after it");
  }
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  };
  if (!std::all_of(host.begin(), host.end(), fits) || host.size() > 255)
    return bad_dsn("has a host with a character in it that no host has");
  into.host = std::string{host};
  if (port.empty()) return {};
  const auto number = to_number(port);
  if (!number || *number < 1 || *number > 65535)
    return bad_dsn("needs a port from 1 to 65535 after the host");
  into.port = static_cast<std::uint16_t>(*number);
  return {};
}

std::optional<MysqlTls> tls_of(std::string_view word) {
  constexpr std::array words{
      std::pair{std::string_view{"disabled"}, MysqlTls::disabled},
      std::pair{std::string_view{"required"}, MysqlTls::required},
      std::pair{std::string_view{"verify_ca"}, MysqlTls::verify_ca},
      std::pair{std::string_view{"verify_identity"}, MysqlTls::verify_identity}};
  std::string lower{word};
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '-' ? '_' : c;
  });
  for (const auto& [name, value] : words)
    if (lower == name) return value;
  return std::nullopt;
}

Result<void> read_key(std::string_view key, std::string value, MysqlDsn& into, bool& mode_given) {
  std::string name{key};
  std::replace(name.begin(), name.end(), '_', '-');
  if (name == "ssl-mode") {
    const auto mode = tls_of(value);
    if (!mode)
      return bad_dsn(
          "has an ssl-mode that is none of disabled, required, verify_ca, verify_identity");
    into.tls = *mode;
    mode_given = true;
    return {};
  }
  std::string* place = name == "socket"     ? &into.socket
                       : name == "ssl-ca"   ? &into.ca_file
                       : name == "ssl-cert" ? &into.cert_file
                       : name == "ssl-key"  ? &into.key_file
                                            : nullptr;
  if (place == nullptr)
    return bad_dsn(
        "has a key after '?' that is none of socket, ssl-mode, ssl-ca, ssl-cert, ssl-key");
  if (value.empty() || value.front() != '/') return bad_dsn("needs an absolute path for " + name);
  *place = std::move(value);
  return {};
}

Result<void> read_keys(std::string_view keys, MysqlDsn& into) {
  bool mode_given = false;
  for (const auto pair : split(keys, '&')) {
    if (pair.empty()) continue;
    const auto [key, value] = parted(pair, '=');
    auto plain = decoded(value.value_or(std::string_view{}));
    if (!value || !plain) return bad_dsn("has something after '?' that is not KEY=VALUE");
    const auto good = read_key(key, std::move(*plain), into, mode_given);
    if (!good) return good;
  }
  if (!mode_given && !into.ca_file.empty()) into.tls = MysqlTls::verify_identity;
  return {};
}

Result<void> judge(const MysqlDsn& dsn) {
  if (dsn.host.empty() && dsn.socket.empty())
    return bad_dsn("names neither a host nor a unix socket (?socket=/run/mysqld/mysqld.sock)");
  if (dsn.socket.size() > socket_path_bytes_max)
    return bad_dsn("has a socket path longer than " + std::to_string(socket_path_bytes_max) +
                   " bytes, which no socket can have");
  if (dsn.tls == MysqlTls::verify_ca && dsn.ca_file.empty())
    return bad_dsn("asks for ssl-mode=verify_ca and has no ssl-ca to verify with");
  if (dsn.tls == MysqlTls::disabled && !dsn.ca_file.empty())
    return bad_dsn("has an ssl-ca and ssl-mode=disabled, which contradict each other");
  if (dsn.tls == MysqlTls::required && !dsn.ca_file.empty())
    return bad_dsn("has an ssl-ca, which ssl-mode=required would not look at: use verify_ca");
  if (dsn.cert_file.empty() != dsn.key_file.empty())
    return bad_dsn("needs ssl-cert and ssl-key together");
  if (dsn.tls == MysqlTls::disabled && !dsn.cert_file.empty())
    return bad_dsn("has an ssl-cert and no ssl-mode that would use it");
  return {};
}

}  // namespace

std::string MysqlDsn::place() const {
  return socket.empty() ? to_string(HostPort{host, port}) : socket;
}

Result<MysqlDsn> parse_mysql_dsn(const Secret& text) {
  if (const auto loaded = libmariadb().load(); !loaded) return loaded.error();
  std::string_view rest = text.reveal();
  if (rest.size() > dsn_bytes_max)
    return bad_dsn("is longer than " + std::to_string(dsn_bytes_max) + " bytes");
  const bool mysql = rest.starts_with("mysql://");
  if (!mysql && !rest.starts_with("mariadb://")) return bad_dsn(no_url);
  rest.remove_prefix(mysql ? 8 : 10);
  if (std::any_of(rest.begin(), rest.end(),
                  [](char c) { return c >= 0 && (c <= ' ' || c == 127); }))
    return bad_dsn("has a blank or control character in it; write it as %XX");
  MysqlDsn dsn;
  // The keys end it; what stands before the last '@' is the login, so that a forgotten %40 in a
  // password does no harm.
  const auto [before_keys, keys] = parted(rest, '?');
  const auto at = before_keys.rfind('@');
  if (at == std::string_view::npos) return bad_dsn(no_user);
  const auto [place, database] = parted(before_keys.substr(at + 1), '/');
  if (const auto good = read_login(before_keys.substr(0, at), dsn); !good) return good.error();
  if (const auto good = read_place(place, dsn); !good) return good.error();
  const auto plain_database = decoded(database.value_or(std::string_view{}));
  if (!plain_database || plain_database->find('/') != std::string::npos)
    return bad_dsn("has a database name that is none");
  dsn.database = *plain_database;
  if (const auto good = read_keys(keys.value_or(std::string_view{}), dsn); !good)
    return good.error();
  if (const auto good = judge(dsn); !good) return good.error();
  return dsn;
}

}  // namespace tocsin::checks
