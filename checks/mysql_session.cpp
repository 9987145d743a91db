#include "checks/mysql_session.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tocsin::checks {
namespace {

bool is_same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// The library would say of a file that it cannot read only that something is wrong with TLS.
std::string unreadable_file(const MysqlDsn& dsn) {
  for (const auto* path : {&dsn.ca_file, &dsn.cert_file, &dsn.key_file})
    if (!path->empty() && access(path->c_str(), R_OK) != 0)
      return *path + " cannot be read: " + std::strerror(errno);
  return {};
}

}  // namespace

const std::string* MysqlRows::find(std::size_t row, std::string_view column) const {
  if (row >= rows.size()) return nullptr;
  for (std::size_t i = 0; i < columns.size() && i < rows[row].size(); ++i)
    if (is_same_word(columns[i], column)) return rows[row][i] ? &*rows[row][i] : nullptr;
  return nullptr;
}

MysqlSession::MysqlSession(Network& network, Clock& clock, const MysqlDsn& dsn)
    : network_{network}, clock_{clock}, dsn_{dsn} {}

Error MysqlSession::fail(MysqlFault fault) {
  fault_ = std::move(fault);
  usable_ = false;
  return fault_.error;
}

Error MysqlSession::fail_call(bool in_time) {
  if (call_->plain_only()) return fail(plain_fault(dsn_));
  if (!in_time) return fail(late_fault(dsn_, call_->stage()));
  if (call_->flooded()) return fail(flood_fault(dsn_));
  return fail(mysql_fault(dsn_, call_->stage(), call_->number(), call_->words()));
}

Task<void> MysqlSession::connect(SteadyTime deadline) {
  if (const auto file = unreadable_file(dsn_); !file.empty())
    co_return fail({MysqlPhase::tls, 0, {Errc::internal, file}});
  std::vector<std::string> addresses{std::string{}};
  if (dsn_.socket.empty()) {
    auto resolving = network_.resolve(dsn_.host, deadline);
    auto resolved = co_await std::move(resolving);
    if (!resolved) co_return fail(resolve_fault(dsn_, resolved.error()));
    addresses = *std::move(resolved);
    if (addresses.empty())
      co_return fail(resolve_fault(dsn_, {Errc::unresolved, "the name has no address"}));
  }
  resolved_at_ = clock_.steady();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = clock_.steady();
    const auto share = (deadline - now) / static_cast<long>(addresses.size() - i);
    auto connecting = connect_to(addresses[i], deadline, now + share);
    const auto outcome = co_await std::move(connecting);
    if (outcome) break;
    const bool next_may_do = fault_.phase == MysqlPhase::connect && i + 1 < addresses.size() &&
                             clock_.steady() < deadline;
    if (!next_may_do) co_return outcome.error();
  }
  co_return Result<void>{};
}

Task<void> MysqlSession::connect_to(std::string address, SteadyTime deadline,
                                    SteadyTime connect_deadline) {
  call_ = std::make_unique<MysqlCall>(dsn_, std::move(address));
  const bool ended = call_->begin_connect();
  auto finishing = end_call(ended, deadline, connect_deadline);
  const bool in_time = co_await std::move(finishing);
  if (!in_time || call_->failed()) co_return fail_call(in_time);
  usable_ = true;
  co_return Result<void>{};
}

asio::awaitable<bool> MysqlSession::end_call(bool ended, SteadyTime deadline,
                                             SteadyTime connect_deadline) {
  while (!ended) {
    const bool connecting = call_->stage() == MysqlCall::Stage::connect;
    const auto until = connecting ? connect_deadline : deadline;
    auto waiting = network_.ready(call_->descriptor(), call_->wanted(), until);
    const auto ready = co_await std::move(waiting);
    if (!ready) {
      call_->give_up();
      co_return false;
    }
    ended = call_->proceed();
  }
  co_return true;
}

Task<MysqlRows> MysqlSession::query(std::string statement, SteadyTime deadline,
                                    std::size_t rows_max) {
  check_that(usable_, "a statement was sent over a connection that is not usable");
  bool ended = call_->begin_query(std::move(statement));
  auto asking = end_call(ended, deadline, deadline);
  bool in_time = co_await std::move(asking);
  if (!in_time || call_->failed()) {
    const bool refused = in_time && !call_->flooded() && is_refusal(call_->number());
    auto error = fail_call(in_time);
    usable_ = refused;
    co_return error;
  }
  MysqlRows rows;
  if (!call_->has_result()) co_return rows;
  rows.columns = call_->columns();
  for (;;) {
    ended = call_->begin_row();
    auto fetching = end_call(ended, deadline, deadline);
    in_time = co_await std::move(fetching);
    if (!in_time || call_->failed()) {
      const auto error = fail_call(in_time);
      call_->drop_result();
      co_return error;
    }
    auto row = call_->row();
    if (!row) break;
    if (rows.rows.size() == rows_max) {
      rows.cut = true;
      fault_ = endless_fault(dsn_, rows_max);
      usable_ = false;
      break;
    }
    rows.rows.push_back(*std::move(row));
  }
  call_->drop_result();
  co_return rows;
}

}  // namespace tocsin::checks
