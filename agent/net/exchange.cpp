#include "agent/net/exchange.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <utility>

#include "tocsin/base/unit.hpp"

namespace tocsin::net {
namespace {

/// How much longer than its first byte a banner may take.
constexpr Duration banner_patience = std::chrono::milliseconds{200};

bool is_end(const boost::system::error_code& fault) {
  // Many servers end TLS without saying so.
  return fault == asio::error::eof || fault == asio::ssl::error::stream_truncated;
}

std::string size_of(std::size_t bytes) {
  return describe_quantity(static_cast<double>(bytes), Unit::bytes);
}

}  // namespace

HttpExchange::HttpExchange(NetworkCore& core, HttpRequest request)
    : core_{core}, request_{std::move(request)}, buffer_{core.buffers.take()} {
  to_.peer = {request_.url.host, request_.url.port};
  to_.unix_socket = request_.unix_socket;
  to_.deadline = request_.deadline;
  to_.last_good_address = request_.last_good_address;
  to_.keep_session = request_.reuse == Reuse::keep_alive;
  if (request_.url.scheme == "https") to_.tls = &request_.tls;
  if (request_.through_proxy && request_.unix_socket.empty())
    to_.proxy = core.options.proxy.for_url(request_.url);
}

HttpExchange::~HttpExchange() {
  core_.buffers.give(std::move(buffer_));
  // A receiver's token or a check's password is in the head: it must not lie about in freed memory.
  if (request_.headers.empty()) return;
  ::OPENSSL_cleanse(head_.data(), head_.size());
  for (auto& [name, value] : request_.headers) ::OPENSSL_cleanse(value.data(), value.size());
}

HttpFailure HttpExchange::failed(NetPhase phase, Errc code, std::string sentence) const {
  auto failure = dialer_->failed(phase, code, std::move(sentence));
  failure.sent = dialer_->connection && dialer_->connection->sent_any();
  return failure;
}

asio::awaitable<HttpOutcome> HttpExchange::run() {
  const auto began = core_.clock.steady();
  dialer_.emplace(core_, to_);
  HttpOutcome outcome;
  const auto* in_absolute_form = to_.tls == nullptr ? to_.proxy : nullptr;
  auto head = request_head(request_, in_absolute_form, core_.options.user_agent);
  if (!head) {
    outcome.failure = failed(NetPhase::send, head.error().code,
                             "nothing was sent to " + dialer_->name() + ": " + head.error().detail);
    co_return outcome;
  }
  head_ = std::move(*head);
  for (bool only_new = request_.reuse == Reuse::fresh;; only_new = true) {
    auto reaching = reach(only_new);
    outcome.failure = co_await std::move(reaching);
    if (outcome.failure) break;
    auto talking = talk();
    outcome.failure = co_await std::move(talking);
    if (!outcome.failure || !may_repeat(*outcome.failure)) break;
  }
  if (outcome.failure) co_return outcome;
  keep_connection();
  outcome.response = std::move(parser_->response);
  outcome.response->times = dialer_->times;
  outcome.response->times.total = core_.clock.steady() - began;
  outcome.response->certificate = dialer_->certificate;
  co_return outcome;
}

bool HttpExchange::may_repeat(const HttpFailure& failure) const {
  // A kept connection may have been closed by its peer while our request was on the way. What the
  // peer cannot have acted on, or may be asked twice, is asked again over a new one.
  if (!reused_ || heard_ || failure.error.code != Errc::disconnected) return false;
  return !failure.sent || request_.method == "GET" || request_.method == "HEAD";
}

asio::awaitable<HttpExchange::Failed> HttpExchange::reach(bool only_new) {
  if (!only_new) {
    if (auto kept = core_.pool.take(peer_key())) {
      dialer_->connection = std::move(kept);
      core_.watch.arm(*dialer_->connection, request_.deadline);
      reused_ = true;
      co_return std::nullopt;
    }
  }
  reused_ = false;
  auto dialing = dialer_->dial();
  auto unreached = co_await std::move(dialing);
  if (unreached) co_return unreached;
  if (request_.reuse == Reuse::keep_alive) dialer_->connection->send_at_once();
  co_return std::nullopt;
}

std::string HttpExchange::peer_key() const {
  const auto separator = '\n';
  auto key = request_.url.scheme + separator + to_string(to_.peer) + separator + to_.unix_socket;
  if (to_.proxy != nullptr) key += separator + to_string(to_.proxy->address);
  if (to_.tls != nullptr)
    key += separator + std::string{to_.tls->verify ? "v" : "-"} + to_.tls->ca_file + separator +
           to_.tls->server_name;
  return key;
}

void HttpExchange::keep_connection() {
  if (request_.reuse != Reuse::keep_alive) return;
  core_.watch.disarm(*dialer_->connection);
  if (filled_ == 0 && parser_->keep_alive() && !dialer_->connection->expired())
    core_.pool.give(peer_key(), std::move(dialer_->connection));
}

asio::awaitable<HttpExchange::Failed> HttpExchange::talk() {
  heard_ = false;
  filled_ = 0;
  auto writing = dialer_->connection->write(head_, request_.body);
  const auto written = co_await std::move(writing);
  if (written.fault) {
    if (dialer_->connection->expired())
      co_return failed(NetPhase::send, Errc::timed_out,
                       "sending to " + dialer_->name() + " timed out " + dialer_->after());
    co_return failed(NetPhase::send, Errc::disconnected,
                     "sending to " + dialer_->name() + " failed: " + written.fault.message());
  }
  sent_at_ = core_.clock.steady();
  auto receiving = receive();
  auto failure = co_await std::move(receiving);
  co_return failure;
}

void HttpExchange::start_answer() {
  parser_.emplace(request_.response_bytes_max, request_.method == "HEAD");
}

asio::awaitable<HttpExchange::Failed> HttpExchange::receive() {
  start_answer();
  while (!parser_->is_done()) {
    if (auto full = make_room()) co_return full;
    const auto room = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
    auto reading = dialer_->connection->read_some(room);
    const auto read = co_await std::move(reading);
    if (read.bytes > 0 && !heard_) {
      heard_ = true;
      dialer_->times.first_byte = core_.clock.steady() - sent_at_;
    }
    filled_ += read.bytes;
    if (auto bad = parse()) co_return bad;
    if (parser_->is_done()) break;
    if (!read.fault) continue;
    if (auto bad = judge_read(read.fault)) co_return bad;
  }
  co_return std::nullopt;
}

HttpExchange::Failed HttpExchange::make_room() {
  // Bodies are taken as they come: only a header or a chunk's line that does not end fills the
  // room.
  if (filled_ < buffer_.size()) return std::nullopt;
  if (buffer_.size() > limits::http_header_bytes)
    return failed(NetPhase::body, Errc::too_large,
                  "the answer of " + dialer_->name() + " is refused: a line of it is larger than " +
                      size_of(limits::http_header_bytes));
  buffer_.resize(buffer_.size() * 2);
  return std::nullopt;
}

HttpExchange::Failed HttpExchange::parse() {
  while (filled_ > 0 && !parser_->is_done()) {
    boost::system::error_code fault;
    const auto used = parser_->put(asio::buffer(buffer_.data(), filled_), fault);
    filled_ -= used;
    if (filled_ > 0) std::memmove(buffer_.data(), buffer_.data() + used, filled_);
    if (fault && fault != boost::beast::http::error::need_more) {
      auto error = message_fault(fault, request_.response_bytes_max);
      const auto phase = parser_->is_header_done() ? NetPhase::body : NetPhase::first_byte;
      return failed(phase, error.code,
                    "the answer of " + dialer_->name() + " is refused: " + error.detail);
    }
    if (parser_->is_done() && parser_->interim())
      start_answer();
    else if (used == 0)
      break;
  }
  return std::nullopt;
}

HttpExchange::Failed HttpExchange::judge_read(const boost::system::error_code& fault) {
  const auto& who = dialer_->name();
  const auto phase = heard_ ? NetPhase::body : NetPhase::first_byte;
  const auto so_far = size_of(parser_->response.body.size());
  if (dialer_->connection->expired()) {
    if (!heard_)
      return failed(phase, Errc::timed_out, "no answer from " + who + " " + dialer_->after());
    return failed(phase, Errc::timed_out,
                  "the answer of " + who + " was not complete " + dialer_->after() + " (" + so_far +
                      " of the body came)");
  }
  if (is_end(fault) && heard_) {
    boost::system::error_code incomplete;
    parser_->put_eof(incomplete);
    if (!incomplete && parser_->is_done()) return std::nullopt;
  }
  if (fault == asio::error::operation_aborted)
    return failed(phase, Errc::cancelled, "the request to " + who + " was cancelled");
  const std::string how =
      is_end(fault) ? " closed the connection" : " broke the connection (" + fault.message() + ")";
  if (!heard_) return failed(phase, Errc::disconnected, who + how + " without an answer");
  return failed(phase, Errc::disconnected,
                who + how + " in the middle of its answer (" + so_far + " of the body came)");
}

namespace {

/// Listens until the bound, the end of a line, the end of the connection, or a short silence.
asio::awaitable<std::optional<HttpFailure>> hear_banner(NetworkCore& core, Dialer& dialer,
                                                        std::size_t bytes_max,
                                                        std::string& answer) {
  std::array<char, 4096> piece{};
  const auto began = core.clock.steady();
  while (answer.size() < bytes_max) {
    const auto room = std::min(piece.size(), bytes_max - answer.size());
    auto reading = dialer.connection->read_some(asio::buffer(piece.data(), room));
    const auto read = co_await std::move(reading);
    if (answer.empty() && read.bytes > 0) {
      const auto now = core.clock.steady();
      dialer.times.first_byte = now - began;
      core.watch.arm(*dialer.connection,
                     std::min(dialer.connection->deadline(), now + banner_patience));
    }
    answer.append(piece.data(), read.bytes);
    if (!read.fault && !answer.empty() && answer.back() == '\n') break;
    if (!read.fault) continue;
    if (!answer.empty()) break;
    const auto who = dialer.name();
    if (dialer.connection->expired())
      co_return dialer.failed(NetPhase::first_byte, Errc::timed_out,
                              who + " said nothing " + dialer.after());
    co_return dialer.failed(NetPhase::first_byte, Errc::disconnected,
                            who + " closed the connection without a word");
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<ConnectOutcome> connect_once(NetworkCore& core, ConnectRequest request) {
  const auto began = core.clock.steady();
  Destination to;
  to.peer = request.address;
  to.tls = request.tls ? &*request.tls : nullptr;
  to.before_tls = &request.before_tls;
  to.deadline = request.deadline;
  Dialer dialer{core, to};
  ConnectOutcome outcome;
  auto dialing = dialer.dial();
  outcome.failure = co_await std::move(dialing);
  if (!outcome.failure && !request.send.empty()) {
    auto writing = dialer.connection->write(request.send, {});
    const auto written = co_await std::move(writing);
    if (written.fault)
      outcome.failure = dialer.failed(
          NetPhase::send, dialer.connection->expired() ? Errc::timed_out : Errc::disconnected,
          "sending to " + dialer.name() + " failed: " + written.fault.message());
    // Nobody waits for an answer, so the peer must be given the time to read.
    if (request.read_max == 0) dialer.connection->part_politely();
  }
  if (!outcome.failure && request.read_max > 0) {
    auto hearing = hear_banner(core, dialer, request.read_max, outcome.answer);
    outcome.failure = co_await std::move(hearing);
  }
  outcome.times = dialer.times;
  outcome.times.total = core.clock.steady() - began;
  outcome.certificate = dialer.certificate;
  co_return outcome;
}

}  // namespace tocsin::net
