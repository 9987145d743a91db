#include "agent/net/dialer.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <utility>

#include "agent/net/conversation.hpp"
#include "agent/net/message.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::net {
namespace {

constexpr std::size_t read_buffers_kept = 4;
/// What a refusing proxy may say before we stop listening.
constexpr std::size_t proxy_answer_bytes_max = 16u << 10;

/// With an address in hand, a resolver gets a quarter of the time to do better.
SteadyTime impatient(SteadyTime now, SteadyTime deadline) { return now + (deadline - now) / 4; }

/// Faults of this host, which say nothing about the peer.
bool is_local(int fault) {
  return fault == EMFILE || fault == ENFILE || fault == ENOBUFS || fault == ENOMEM ||
         fault == EADDRNOTAVAIL;
}

}  // namespace

std::vector<char> ReadBuffers::take() {
  if (idle_.empty()) return std::vector<char>(buffer_bytes);
  auto buffer = std::move(idle_.back());
  idle_.pop_back();
  return buffer;
}

void ReadBuffers::give(std::vector<char> buffer) {
  if (idle_.size() < read_buffers_kept && buffer.size() == buffer_bytes)
    idle_.push_back(std::move(buffer));
}

NetworkCore::NetworkCore(asio::any_io_executor on, Clock& time, NetworkOptions with)
    : executor{std::move(on)},
      clock{time},
      options{std::move(with)},
      watch{executor, clock},
      resolver{executor, watch, options.resolver_threads_max, options.resolved_for,
               options.resolve},
      last_good{options.load_address, options.save_address},
      pool{watch, options.idle_connections_max, options.idle_connection} {}

Dialer::Dialer(NetworkCore& core, const Destination& destination)
    : core_{core}, to_{destination}, started_{core.clock.steady()} {}

const std::string& Dialer::dialed_host() const {
  return to_.proxy != nullptr ? to_.proxy->address.host : to_.peer.host;
}

std::uint16_t Dialer::dialed_port() const {
  return to_.proxy != nullptr ? to_.proxy->address.port : to_.peer.port;
}

std::string Dialer::name() const {
  return to_.unix_socket.empty() ? to_string(to_.peer) : to_.unix_socket;
}

std::string Dialer::after() const { return "after " + describe(core_.clock.steady() - started_); }

HttpFailure Dialer::failed(NetPhase phase, Errc code, std::string sentence) const {
  HttpFailure failure;
  failure.phase = phase;
  failure.error = {code, std::move(sentence)};
  failure.times = times;
  failure.times.total = core_.clock.steady() - started_;
  failure.certificate = certificate;
  return failure;
}

asio::awaitable<std::optional<HttpFailure>> Dialer::dial() {
  if (to_.unix_socket.empty()) {
    auto finding = find_endpoints();
    auto unresolved = co_await std::move(finding);
    if (unresolved) co_return unresolved;
  }
  auto connecting = connect_in_turn();
  auto unreachable = co_await std::move(connecting);
  if (unreachable) co_return unreachable;
  if (to_.proxy != nullptr && to_.tls != nullptr) {
    auto asking = ask_proxy();
    auto refused = co_await std::move(asking);
    if (refused) co_return refused;
  }
  if (to_.tls != nullptr && to_.before_tls != nullptr && *to_.before_tls) {
    auto agreeing = agree_on_tls();
    auto declined = co_await std::move(agreeing);
    if (declined) co_return declined;
  }
  if (to_.tls != nullptr) {
    auto shaking = shake_hands();
    auto distrusted = co_await std::move(shaking);
    if (distrusted) co_return distrusted;
  }
  co_return std::nullopt;
}

asio::awaitable<Dialer::Failed> Dialer::find_endpoints() {
  const auto& host = dialed_host();
  if (auto known = known_addresses(host)) {
    addresses_ = std::move(*known);
    co_return std::nullopt;
  }
  asked_ = true;
  const auto began = core_.clock.steady();
  std::optional<asio::ip::address> last_good;
  if (const auto* fresh = core_.resolver.fresh(host)) {
    addresses_ = *fresh;
  } else {
    if (to_.last_good_address) last_good = core_.last_good.find(host);
    const auto until = last_good ? impatient(began, to_.deadline) : to_.deadline;
    auto asking = core_.resolver.resolve(host, until);
    auto answer = co_await std::move(asking);
    if (answer)
      addresses_ = std::move(*answer);
    else if (last_good)
      addresses_ = {*last_good};
    else
      co_return failed(NetPhase::resolve, answer.error().code,
                       "resolve " + host + " failed: " + answer.error().detail);
  }
  times.resolve = core_.clock.steady() - began;
  co_return std::nullopt;
}

std::string Dialer::place_of(std::size_t index) const {
  if (!to_.unix_socket.empty()) return to_.unix_socket;
  auto place =
      (to_.proxy != nullptr ? "proxy " : "") + to_string(HostPort{dialed_host(), dialed_port()});
  const auto address = addresses_[index].to_string();
  if (address == dialed_host()) return place;
  return place + " (" + address +
         (addresses_.size() > 1 ? ", the last of " + std::to_string(addresses_.size()) : "") + ")";
}

Dialer::Failed Dialer::judge_connect(const boost::system::error_code& fault,
                                     std::size_t index) const {
  if (!fault) return std::nullopt;
  const auto place = place_of(index);
  if (connection->expired())
    return failed(NetPhase::connect, Errc::timed_out,
                  "connect to " + place + " timed out " + after());
  if (is_local(fault.value()))
    return failed(NetPhase::connect, Errc::internal,
                  "connect to " + place + " is not possible from here: " + fault.message());
  if (!to_.unix_socket.empty() && (fault.value() == EACCES || fault.value() == EPERM))
    return failed(NetPhase::connect, Errc::unreadable,
                  "connect to " + place + " is not allowed to tocsin's user: " + fault.message());
  return failed(NetPhase::connect, Errc::unreachable,
                "connect to " + place + " failed: " + fault.message());
}

asio::awaitable<Dialer::Failed> Dialer::connect_in_turn() {
  const auto began = core_.clock.steady();
  const auto count = to_.unix_socket.empty() ? addresses_.size() : 1;
  boost::system::error_code fault;
  std::size_t index = 0;
  for (; index < count; ++index) {
    // What is left is shared by the addresses not yet tried.
    const auto now = core_.clock.steady();
    const auto share = (to_.deadline - now) / static_cast<std::int64_t>(count - index);
    Endpoint endpoint;
    if (to_.unix_socket.empty()) {
      endpoint = asio::ip::tcp::endpoint{addresses_[index], dialed_port()};
    } else if (to_.unix_socket.size() < sizeof(sockaddr_un::sun_path)) {
      endpoint = asio::local::stream_protocol::endpoint{to_.unix_socket};
    } else {
      co_return failed(NetPhase::connect, Errc::malformed,
                       "connect to " + to_.unix_socket + " failed: the path is too long");
    }
    connection = std::make_shared<Connection>(core_.executor);
    core_.watch.arm(*connection, now + share);
    auto opening = connection->open(std::move(endpoint));
    fault = co_await std::move(opening);
    if (!fault || core_.clock.steady() >= to_.deadline) break;
  }
  times.connect = core_.clock.steady() - began;
  auto failure = judge_connect(fault, std::min(index, count - 1));
  if (failure) co_return failure;
  if (connection->deadline() != to_.deadline) core_.watch.arm(*connection, to_.deadline);
  if (to_.last_good_address && asked_)
    core_.last_good.worked(dialed_host(), addresses_[index], addresses_);
  co_return std::nullopt;
}

asio::awaitable<Dialer::Failed> Dialer::ask_proxy() {
  const auto place = "proxy " + to_string(to_.proxy->address);
  const auto head = connect_head(to_.peer, *to_.proxy, core_.options.user_agent);
  auto writing = connection->write(head, {});
  auto done = co_await std::move(writing);
  ResponseParser parser{proxy_answer_bytes_max, true};
  std::string answer;
  while (!done.fault && !parser.is_done() && answer.size() < proxy_answer_bytes_max) {
    std::array<char, 2048> piece{};
    auto reading = connection->read_some(asio::buffer(piece));
    done = co_await std::move(reading);
    answer.append(piece.data(), done.bytes);
    boost::system::error_code fault;
    answer.erase(0, parser.put(asio::buffer(answer), fault));
    if (fault && fault != boost::beast::http::error::need_more)
      co_return failed(NetPhase::proxy, Errc::protocol,
                       place + " answered something else than HTTP");
  }
  if (connection->expired())
    co_return failed(NetPhase::proxy, Errc::timed_out,
                     place + " did not open a way to " + name() + " " + after());
  if (!parser.is_done())
    co_return failed(NetPhase::proxy, Errc::disconnected,
                     place + " closed the connection instead of opening a way to " + name());
  const int status = parser.response.status;
  if (status >= 200 && status < 300) co_return std::nullopt;
  co_return failed(NetPhase::proxy, Errc::refused,
                   place + " refused to connect to " + name() + ": " + std::to_string(status) +
                       " " + cut_characters(clean_utf8(parser.reason), 80));
}

asio::awaitable<Dialer::Failed> Dialer::agree_on_tls() {
  DialedTalk talk{*this};
  auto asking = (*to_.before_tls)(talk);
  const auto beyond = co_await std::move(asking);
  if (!beyond) co_return failed(NetPhase::starttls, beyond.error().code, beyond.error().detail);
  // A server waits for the client's first record. Bytes in the clear must neither be taken for
  // what comes by TLS nor be lost silently (CVE-2011-0411 and its kin).
  if (beyond->empty() && !connection->has_unheard()) co_return std::nullopt;
  co_return failed(NetPhase::starttls, Errc::protocol,
                   name() + " went on in the clear after it had agreed to TLS");
}

asio::awaitable<Dialer::Failed> Dialer::shake_hands() {
  auto context = core_.tls.context(to_.tls->ca_file);
  if (!context)
    co_return failed(
        NetPhase::tls, Errc::internal,
        "TLS handshake with " + name() + " is not possible: " + context.error().detail);
  const auto began = core_.clock.steady();
  const auto& server = to_.tls->server_name.empty() ? to_.peer.host : to_.tls->server_name;
  std::shared_ptr<SessionSlot> slot;
  if (to_.keep_session && to_.tls->verify)
    slot = core_.tls.session(server + " " + name() + " " + to_.tls->ca_file);
  HandshakeNotes notes{server, core_.clock.wall()};
  auto shaking = connection->handshake(*context, *to_.tls, notes, std::move(slot));
  const auto fault = co_await std::move(shaking);
  certificate = notes.certificate();
  times.tls = core_.clock.steady() - began;
  if (certificate && !certificate->distrust.empty()) core_.tls.forget(to_.tls->ca_file);
  if (!fault) co_return std::nullopt;
  if (notes.judged_bad() && to_.tls->verify) core_.tls.forget(to_.tls->ca_file);
  if (connection->expired())
    co_return failed(NetPhase::tls, Errc::timed_out,
                     "TLS handshake with " + name() + " timed out " + after());
  co_return failed(NetPhase::tls, Errc::tls,
                   "TLS handshake with " + name() + " failed: " + notes.why(fault));
}

}  // namespace tocsin::net
