#include "checks/postgres_session.hpp"

#include <libpq-fe.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "checks/postgres_wire.hpp"
#include "checks/redaction.hpp"

namespace tocsin::checks {
namespace {

/// Addresses of one name that are tried in turn.
constexpr std::size_t addresses_max = 4;
/// Enough for any login; what says more is no PostgreSQL.
constexpr std::size_t login_bytes_max = 64u << 10;

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, FreeResult>;

/// Keeps libpq from printing what a server sends beside its answers.
void ignore_notice(void*, const PGresult*) {}

/// Which step libpq is at.
PostgresPhase phase_of(ConnStatusType status) {
  // Not a closed set of ours: libpq may know more.
  if (status == CONNECTION_SSL_STARTUP) return PostgresPhase::tls;
  if (status == CONNECTION_AWAITING_RESPONSE || status == CONNECTION_MADE)
    return PostgresPhase::authentication;
  if (status == CONNECTION_STARTED || status == CONNECTION_NEEDED) return PostgresPhase::connect;
  return PostgresPhase::session;
}

}  // namespace

struct PostgresSession::Connection {
  PGconn* raw{nullptr};
  PostgresWire wire{};

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  void close() {
    PQfinish(raw);
    raw = nullptr;
    wire.withdraw();
  }
  /// What TLS has read already; no socket tells of it.
  bool has_decrypted() const {
    auto* const tls = static_cast<SSL*>(PQsslStruct(raw, "OpenSSL"));
    return tls != nullptr && SSL_pending(tls) > 0;
  }
  bool has_unread() const { return wire.unread() > 0 || has_decrypted(); }
  /// Lets libpq take all that it was handed.
  bool read() {
    do {
      if (PQconsumeInput(raw) == 0) return false;
    } while (has_unread());
    return true;
  }
};

PostgresSession::PostgresSession(Network& network, Clock& clock, SteadyTime deadline)
    : network_{network},
      clock_{clock},
      deadline_{deadline},
      connection_{std::make_unique<Connection>()} {}

PostgresSession::~PostgresSession() = default;

Error PostgresSession::keep(PostgresFault fault) {
  auto& text = fault.error.detail;
  for (const auto& [keyword, value] : dsn_->options)
    if (keyword == "password" || keyword == "sslpassword")
      text = without_secret(std::move(text), value.reveal());
  fault_ = std::move(fault);
  return fault_->error;
}

Error PostgresSession::give_up(PostgresFault fault) {
  auto error = keep(std::move(fault));
  connection_->close();
  return error;
}

Error PostgresSession::unready(Error error) {
  if (error.code == Errc::timed_out) return give_up(silence_fault(phase_, dsn_->place()));
  return give_up({phase_, {}, std::move(error)});
}

Task<void> PostgresSession::open(const PostgresDsn& dsn) {
  dsn_ = &dsn;
  auto starting = start();
  auto started = co_await std::move(starting);
  if (!started) co_return started;
  auto polling = poll();
  co_return co_await std::move(polling);
}

/// Names the server to libpq by its addresses, since it would block while resolving.
Task<void> PostgresSession::start() {
  std::string hosts{dsn_->socket_path};
  std::string addresses{dsn_->address};
  if (dsn_->socket_path.empty()) hosts = dsn_->host;
  if (dsn_->socket_path.empty() && addresses.empty()) {
    auto resolving = network_.resolve(dsn_->host, deadline_);
    const auto found = co_await std::move(resolving);
    if (!found) co_return keep({PostgresPhase::resolve, {}, found.error()});
    for (std::size_t i = 0; i < std::min(found->size(), addresses_max); ++i) {
      if (i > 0) hosts += "," + dsn_->host;
      addresses += (i > 0 ? "," : "") + (*found)[i];
    }
  }
  const auto port = std::to_string(dsn_->port);
  std::vector<const char*> keywords{"host", "port"};
  std::vector<const char*> values{hosts.c_str(), port.c_str()};
  if (!addresses.empty()) {
    keywords.push_back("hostaddr");
    values.push_back(addresses.c_str());
  }
  for (const auto& [keyword, value] : dsn_->options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.reveal().c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  auto*& raw = connection_->raw;
  raw = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (raw == nullptr)
    co_return keep({PostgresPhase::connect, {}, {Errc::internal, "libpq has no memory"}});
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(raw, ignore_notice, nullptr);
  if (PQstatus(raw) != CONNECTION_BAD) co_return Result<void>{};
  const std::string_view why{PQerrorMessage(raw)};
  // Either the connection failed at once, or an option is wrong.
  auto fault = connection_fault(PostgresPhase::connect, dsn_->place(), why);
  if (why.find(" failed: ") == std::string_view::npos && fault.error.code != Errc::internal)
    fault.error = {Errc::malformed, "libpq does not take the dsn of " + dsn_->place() + ": " +
                                        connection_words(why).message};
  co_return give_up(std::move(fault));
}

/// Waits for the server, unless libpq has not read yet what has come already.
Task<void> PostgresSession::await_server(Readiness what) {
  auto& wire = connection_->wire;
  const bool sent = wire.server() < 0 || wire.pass_on();
  const auto socket = wire.server() < 0 ? PQsocket(connection_->raw) : wire.server();
  const auto both = what == Readiness::to_read && !sent ? Readiness::either : what;
  auto waiting = network_.ready(socket, both, deadline_);
  auto ready = co_await std::move(waiting);
  if (!ready) co_return unready(ready.error());
  if (wire.server() >= 0) wire.feed();
  co_return Result<void>{};
}

Task<void> PostgresSession::poll() {
  auto* const raw = connection_->raw;
  auto& wire = connection_->wire;
  auto next = PGRES_POLLING_WRITING;
  std::optional<std::size_t> refused;  // What was there when it last read nothing.
  while (next != PGRES_POLLING_OK) {
    phase_ = phase_of(PQstatus(raw));
    const bool connected =
        PQstatus(raw) != CONNECTION_STARTED && PQstatus(raw) != CONNECTION_NEEDED;
    if (!connected) {
      wire.withdraw();
    } else if (!wire.serves(PQsocket(raw))) {
      auto interposed = wire.interpose(PQsocket(raw));
      if (!interposed) co_return give_up({phase_, {}, interposed.error()});
    }
    // What is left over from the last turn may be all that comes.
    const bool reading = next == PGRES_POLLING_READING;
    if (!reading || wire.unread() == 0 || wire.unread() == refused) {
      auto awaiting = await_server(reading ? Readiness::to_read : Readiness::to_write);
      auto awaited = co_await std::move(awaiting);
      if (!awaited) co_return awaited;
    }
    const auto before = wire.unread();
    next = PQconnectPoll(raw);
    refused.reset();
    if (reading && wire.unread() == before) refused = before;
    if (next == PGRES_POLLING_FAILED)
      co_return give_up(connection_fault(phase_, dsn_->place(), PQerrorMessage(raw)));
    if (wire.received() > login_bytes_max)
      co_return give_up(
          {phase_,
           {},
           {Errc::protocol, dsn_->place() + " says more than a login takes: it does not speak "
                                            "PostgreSQL's protocol"}});
  }
  phase_ = PostgresPhase::query;
  PQsetnonblocking(raw, 1);
  co_return Result<void>{};
}

Task<void> PostgresSession::begin_read_only() {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>((deadline_ - clock_.steady()) * 9 / 10);
  const auto timeout = std::to_string(std::max<std::int64_t>(left.count(), 1));
  auto* const raw = connection_->raw;
  if (raw == nullptr) co_return fault_->error;
  std::string text = PQtransactionStatus(raw) == PQTRANS_IDLE ? "" : "ROLLBACK; ";
  text += "BEGIN READ ONLY; SET LOCAL statement_timeout = " + timeout;
  if (PQsendQuery(raw, text.c_str()) == 0)
    co_return give_up(query_fault(dsn_->place(), {}, PQerrorMessage(raw)));
  auto collecting = collect(PostgresBounds{});
  auto answered = co_await std::move(collecting);
  if (!answered) co_return answered.error();
  co_return Result<void>{};
}

Task<PostgresRows> PostgresSession::query(std::string text, PostgresBounds bounds) {
  auto* const raw = connection_->raw;
  if (raw == nullptr) co_return fault_->error;
  const bool sent =
      PQsendQueryParams(raw, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) != 0 &&
      PQsetSingleRowMode(raw) != 0;
  if (!sent) co_return give_up(query_fault(dsn_->place(), {}, PQerrorMessage(raw)));
  auto collecting = collect(bounds);
  co_return co_await std::move(collecting);
}

/// Until something more has come.
Task<void> PostgresSession::read_more(std::size_t bytes_max) {
  auto* const raw = connection_->raw;
  PQflush(raw);
  if (!connection_->has_unread()) {
    auto awaiting = await_server(Readiness::to_read);
    auto awaited = co_await std::move(awaiting);
    if (!awaited) co_return awaited;
  }
  if (!connection_->read()) co_return give_up(query_fault(dsn_->place(), {}, PQerrorMessage(raw)));
  if (connection_->wire.received() > bytes_max)
    co_return give_up({PostgresPhase::query,
                       {},
                       {Errc::too_large,
                        "the answer of " + dsn_->place() + " to a query is larger than expected"}});
  co_return Result<void>{};
}

Task<PostgresRows> PostgresSession::collect(PostgresBounds bounds) {
  auto* const raw = connection_->raw;
  const auto bytes_max = connection_->wire.received() + bounds.bytes;
  PostgresRows rows;
  std::optional<PostgresFault> refusal;
  const auto too_large = [&](const std::string& what) {
    return give_up(
        {PostgresPhase::query,
         {},
         {Errc::too_large, "the answer of " + dsn_->place() + " has more than " + what}});
  };
  for (;;) {
    while (PQisBusy(raw) != 0) {
      auto reading = read_more(bytes_max);
      auto read = co_await std::move(reading);
      if (!read) co_return read.error();
    }
    const Answer answer{PQgetResult(raw)};
    if (answer == nullptr) break;
    const auto status = PQresultStatus(answer.get());
    const auto columns = static_cast<std::size_t>(PQnfields(answer.get()));
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      const auto* const state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
      const auto* const words = PQresultErrorField(answer.get(), PG_DIAG_MESSAGE_PRIMARY);
      refusal = query_fault(dsn_->place(), state == nullptr ? "" : state,
                            words == nullptr ? PQresultErrorMessage(answer.get()) : words);
      continue;
    }
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
      co_return give_up(
          {PostgresPhase::query, {}, {Errc::unsupported, "a COPY is no query: " + dsn_->place()}});
    if (columns > bounds.columns) co_return too_large(std::to_string(bounds.columns) + " columns");
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
      if (rows.size() == bounds.rows) co_return too_large(std::to_string(bounds.rows) + " rows");
      auto& into = rows.emplace_back(columns);
      for (int column = 0; column < PQnfields(answer.get()); ++column)
        if (PQgetisnull(answer.get(), row, column) == 0)
          into[static_cast<std::size_t>(column)].emplace(PQgetvalue(answer.get(), row, column));
    }
  }
  if (refusal && PQstatus(raw) == CONNECTION_BAD) co_return give_up(*std::move(refusal));
  if (refusal) co_return keep(*std::move(refusal));
  co_return rows;
}

}  // namespace tocsin::checks
