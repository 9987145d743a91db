#include "agent/net/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

namespace tocsin::net {
namespace {

using boost::system::error_code;

error_code last_fault() { return {errno, boost::system::system_category()}; }

bool is_internet(int family) { return family == AF_INET || family == AF_INET6; }

bool writable_now(int descriptor) {
  pollfd asked{descriptor, POLLOUT, 0};
  return ::poll(&asked, 1, 0) == 1;
}

/// What became of a connect that was begun.
error_code outcome_of_connect(int descriptor) {
  int fault = 0;
  socklen_t size = sizeof fault;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &size) != 0) return last_fault();
  return {fault, boost::system::system_category()};
}

constexpr auto token = asio::as_tuple(asio::deferred);

}  // namespace

Connection::~Connection() {
  // A connection that ends without a goodbye would spoil its session for the next one.
  if (tls_ && slot_)
    ::SSL_set_shutdown(tls_->native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_.reset();
  close();
}

void Connection::close() noexcept {
  if (!socket_.is_open()) return;
  if (!polite_) {
    const linger at_once{1, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  error_code ignored;
  socket_.close(ignored);
}

void Connection::expire() {
  if (on_rest_end_) {
    // The one who is told lets go of this connection: nothing may follow.
    const auto on_end = std::exchange(on_rest_end_, nullptr);
    on_end();
    return;
  }
  expired_ = true;
  close();
}

asio::awaitable<error_code> Connection::open(Endpoint endpoint) {
  const auto protocol = endpoint.protocol();
  const int descriptor =
      ::socket(protocol.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol.protocol());
  if (descriptor < 0) co_return last_fault();
  error_code fault;
  socket_.assign(protocol, descriptor, fault);
  if (fault) {
    ::close(descriptor);
    co_return fault;
  }
  socket_.non_blocking(true, fault);
  if (fault) co_return fault;
  if (::connect(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0)
    co_return error_code{};
  if (errno != EINPROGRESS) co_return last_fault();
  // Over loopback the peer's kernel has answered by now: no need for a turn of the loop.
  if (!writable_now(descriptor)) {
    auto waiting = socket_.async_wait(Socket::wait_write, token);
    const auto waited = co_await std::move(waiting);
    if (std::get<0>(waited)) co_return std::get<0>(waited);
    if (!socket_.is_open()) co_return asio::error::operation_aborted;
  }
  co_return outcome_of_connect(descriptor);
}

void Connection::send_at_once() {
  error_code fault;
  const auto peer = socket_.local_endpoint(fault);
  if (fault || !is_internet(peer.protocol().family())) return;
  const int yes = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void Connection::stop_hearing() {
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RD);
}

bool Connection::has_unheard() {
  char byte{};
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

asio::awaitable<error_code> Connection::handshake(std::shared_ptr<asio::ssl::context> context,
                                                  const TlsOptions& options, HandshakeNotes& notes,
                                                  std::shared_ptr<SessionSlot> slot) {
  send_at_once();
  slot_ = std::move(slot);
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, *context);
  auto* native = tls_->native_handle();
  notes.prepare(native, options);
  error_code fault;
  tls_->set_verify_callback(
      [&notes](bool good, asio::ssl::verify_context& chain) { return notes.judge(good, chain); },
      fault);
  if (fault) co_return fault;
  if (slot_) slot_->attach(native);
  auto shaking = tls_->async_handshake(asio::ssl::stream_base::client, token);
  const auto shaken = co_await std::move(shaking);
  if (std::get<0>(shaken)) co_return std::get<0>(shaken);
  notes.note_presented(native);
  // The notes live no longer than the handshake, and nothing is judged after it.
  tls_->set_verify_callback([](bool good, asio::ssl::verify_context&) { return good; }, fault);
  co_return fault;
}

asio::awaitable<IoResult> Connection::read_some(asio::mutable_buffer into) {
  if (tls_) {
    auto reading = tls_->async_read_some(into, token);
    const auto read = co_await std::move(reading);
    co_return IoResult{std::get<0>(read), std::get<1>(read)};
  }
  auto reading = socket_.async_read_some(into, token);
  const auto read = co_await std::move(reading);
  co_return IoResult{std::get<0>(read), std::get<1>(read)};
}

asio::awaitable<IoResult> Connection::write_tls(std::string_view head, std::string_view body) {
  // What became of the ciphertext is not known after a fault.
  sent_any_ = true;
  IoResult total;
  for (const auto part : {head, body}) {
    if (part.empty()) continue;
    auto writing = asio::async_write(*tls_, asio::buffer(part.data(), part.size()), token);
    const auto written = co_await std::move(writing);
    total.bytes += std::get<1>(written);
    total.fault = std::get<0>(written);
    if (total.fault) break;
  }
  co_return total;
}

asio::awaitable<IoResult> Connection::write(std::string_view head, std::string_view body) {
  sent_any_ = false;
  if (tls_) {
    auto writing = write_tls(head, body);
    co_return co_await std::move(writing);
  }
  std::array<asio::const_buffer, 2> parts{asio::buffer(head.data(), head.size()),
                                          asio::buffer(body.data(), body.size())};
  IoResult total;
  // A request nearly always fits the socket's buffer: then there is nothing to wait for.
  total.bytes = socket_.write_some(parts, total.fault);
  sent_any_ = total.bytes > 0;
  if (total.fault && total.fault != asio::error::would_block) co_return total;
  total.fault = {};
  const auto in_head = std::min(total.bytes, head.size());
  parts[0] += in_head;
  parts[1] += total.bytes - in_head;
  if (parts[0].size() + parts[1].size() == 0) co_return total;
  auto writing = asio::async_write(socket_, parts, token);
  const auto written = co_await std::move(writing);
  total.fault = std::get<0>(written);
  total.bytes += std::get<1>(written);
  sent_any_ = total.bytes > 0;
  co_return total;
}

void Connection::rest(std::function<void()> on_end) {
  on_rest_end_ = std::move(on_end);
  socket_.async_wait(Socket::wait_read, [weak = weak_from_this()](const error_code& fault) {
    const auto self = weak.lock();
    if (!self || fault == asio::error::operation_aborted || !self->on_rest_end_) return;
    const auto ended = std::exchange(self->on_rest_end_, nullptr);
    ended();
  });
}

bool Connection::rouse() {
  on_rest_end_ = nullptr;
  error_code ignored;
  socket_.cancel(ignored);
  char byte{};
  const auto seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace tocsin::net
