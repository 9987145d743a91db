#include "checks/postgres_dsn.hpp"

#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "checks/late_library.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// A path where nothing can be: libpq takes it for a file that is not there, and says nothing.
constexpr const char* no_file = "/dev/null/none";
/// Where Debian keeps the authorities that this host trusts.
constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

/// What stands in for an option that was not given, so that neither a variable (PGSSLMODE) nor a
/// file of the agent's user (~/.pgpass, ~/.postgresql/) decides it. The values are libpq's own
/// defaults, "Parameter Key Words" of its manual, but for GSS encryption, which may block.
struct Default {
  std::string_view keyword;
  const char* value;
};
constexpr std::array defaults{
    Default{"passfile", no_file},
    Default{"sslcert", no_file},
    Default{"sslkey", no_file},
    Default{"sslcrl", no_file},
    Default{"sslmode", "prefer"},
    Default{"sslcompression", "0"},
    Default{"sslsni", "1"},
    Default{"ssl_min_protocol_version", "TLSv1.2"},
    Default{"ssl_max_protocol_version", "TLSv1.3"},
    Default{"channel_binding", "prefer"},
    Default{"gssencmode", "disable"},
    Default{"krbsrvname", "postgres"},
    Default{"gsslib", "gssapi"},
    Default{"target_session_attrs", "any"},
    Default{"client_encoding", "UTF8"},
    Default{"application_name", "tocsin"},
    Default{"connect_timeout", "0"},
};

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

Error malformed_dsn(std::string what) { return {Errc::malformed, "the dsn " + std::move(what)}; }

std::optional<std::string_view> value_of(const PQconninfoOption* options,
                                         std::string_view keyword) {
  for (const auto* option = options; option->keyword != nullptr; ++option)
    if (keyword == option->keyword && option->val != nullptr && *option->val != '\0')
      return option->val;
  return std::nullopt;
}

const char* default_of(std::string_view keyword) {
  for (const auto& each : defaults)
    if (each.keyword == keyword) return each.value;
  return nullptr;
}

/// These are kept apart, or given for each connection.
bool is_place(std::string_view keyword) {
  return keyword == "host" || keyword == "hostaddr" || keyword == "port";
}

/// What the agent's environment would decide and nothing here can: it must say so rather than obey.
std::optional<Error> overruled_by_environment(const PQconninfoOption* options) {
  for (const auto* option = options; option->keyword != nullptr; ++option) {
    const bool settled = value_of(options, option->keyword) ||
                         default_of(option->keyword) != nullptr || is_place(option->keyword) ||
                         option->keyword == std::string_view{"dbname"} ||
                         option->keyword == std::string_view{"sslrootcert"};
    if (settled || option->envvar == nullptr) continue;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment.
    const auto* const variable = std::getenv(option->envvar);
    if (variable == nullptr || *variable == '\0') continue;
    return Error{Errc::refused, std::string{"the environment sets "} + option->envvar +
                                    ", which libpq would obey: put it into the dsn as '" +
                                    option->keyword + "', or take it away"};
  }
  return std::nullopt;
}

Result<std::uint16_t> port_of(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number == 0 || *number > 65535)
    return malformed_dsn("has a port that is no number from 1 to 65535");
  return static_cast<std::uint16_t>(*number);
}

std::optional<Error> read_place(const PQconninfoOption* options, PostgresDsn& dsn) {
  const auto host = value_of(options, "host");
  const auto address = value_of(options, "hostaddr");
  const auto port = value_of(options, "port");
  if (!host && !address) return malformed_dsn("names no host (\"host=db-1 …\")");
  for (const auto& text : {host, address, port})
    if (text && text->find(',') != std::string_view::npos)
      return malformed_dsn("names several servers; make a check of each");
  if (port) {
    const auto number = port_of(*port);
    if (!number) return number.error();
    dsn.port = *number;
  }
  if (host && (host->front() == '/' || host->front() == '@'))
    dsn.socket_path = *host;
  else if (host)
    dsn.host = *host;
  if (address && dsn.socket_path.empty()) dsn.address = *address;
  if (dsn.host.empty()) dsn.host = dsn.address;
  return std::nullopt;
}

}  // namespace

std::string PostgresDsn::place() const {
  if (!socket_path.empty()) return socket_path + ":" + std::to_string(port);
  const bool bare_v6 = host.find(':') != std::string::npos;
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<PostgresDsn> parse_postgres_dsn(const Secret& text) {
  if (const auto loaded = libpq().load(); !loaded) return loaded.error();
  char* fault = nullptr;
  const Options options{PQconninfoParse(text.reveal().c_str(), &fault)};
  PQfreemem(fault);  // Its words quote the string.
  if (!options)
    return malformed_dsn(
        "is neither a connection string (\"host=db-1 user=tocsin password=… dbname=shop\") nor a "
        "URI (\"postgresql://db-1/shop\" with USER:PASSWORD@ before the host)");
  PostgresDsn dsn;
  if (auto wrong = read_place(options.get(), dsn)) return *std::move(wrong);
  const auto user = value_of(options.get(), "user");
  if (!user) return malformed_dsn("names no user");
  if (value_of(options.get(), "service"))
    return malformed_dsn("names a service; write out what the service file says");
  if (value_of(options.get(), "requirepeer"))
    return malformed_dsn("has requirepeer, which is not looked at here; leave it out");
  dsn.user = *user;
  if (auto obeyed = overruled_by_environment(options.get())) return *std::move(obeyed);
  const bool verified = starts_with(value_of(options.get(), "sslmode").value_or(""), "verify");
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword{option->keyword};
    if (is_place(keyword)) continue;
    if (const auto given = value_of(options.get(), keyword))
      dsn.options.emplace_back(keyword, Secret{std::string{*given}});
    else if (keyword == "dbname")  // The variable PGDATABASE would come first.
      dsn.options.emplace_back(keyword, Secret{dsn.user});
    else if (keyword == "sslrootcert")
      dsn.options.emplace_back(keyword, Secret{verified ? system_authorities : no_file});
    else if (const auto* value = default_of(keyword))
      dsn.options.emplace_back(keyword, Secret{value});
  }
  return dsn;
}

}  // namespace tocsin::checks
