#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/fakes/receiver.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::fakes {

/// A network without sockets: requests go to the receivers routed here, on the given clock, so that
/// a test or a simulation replays exactly. A request takes one latency: half to arrive, half for
/// the answer.
class FakeNetwork : public Network {
 public:
  explicit FakeNetwork(Clock& clock) : clock_{clock} {}

  /// Requests for this host and port go to the receiver, which must outlive the network. Whatever
  /// the scheme.
  void route(const std::string& host, std::uint16_t port, Receiver& receiver);
  /// Plain connections to this address are accepted and answered with these bytes.
  void listen(const std::string& host, std::uint16_t port, std::string answer = {});
  void set_latency(Duration latency) {
    latency_ = [latency] { return latency; };
  }
  /// Asked once a request; draw from a seeded source to vary it.
  void set_latency(std::function<Duration()> latency) { latency_ = std::move(latency); }
  /// No name can be resolved. A host that was reached before still is, when the request allows it.
  void set_names_down(bool down) { names_down_ = down; }

  struct Seen {
    SteadyTime at{};
    HttpRequest request{};
    std::string operation{};  ///< As the receiver names it.
    int status{0};            ///< 0: no answer was seen.
    bool carried_out{false};
  };
  /// The last requests, oldest first: at most `seen_max`, so that a simulated year does not fill
  /// the memory.
  const std::deque<Seen>& seen() const { return seen_; }
  std::uint64_t requests() const { return requests_; }
  static constexpr std::size_t seen_max = 2000;

  asio::awaitable<HttpOutcome> http(HttpRequest request) override;
  asio::awaitable<ConnectOutcome> connect(ConnectRequest request) override;

 private:
  struct Exchange;
  std::optional<HttpFailure> reach(const std::string& host, std::uint16_t port, bool last_good);
  asio::awaitable<HttpOutcome> answer(Exchange& exchange);
  HttpOutcome conclude(Exchange& exchange, const Played& played, bool in_time) const;
  HttpOutcome failure(Exchange& exchange, NetPhase phase, Errc code, const std::string& what) const;
  void remember(Exchange& exchange, int status);

  Clock& clock_;
  std::map<std::string, Receiver*> routes_{};
  std::map<std::string, std::string> listeners_{};
  std::set<std::string> reached_{};
  std::function<Duration()> latency_{[] { return Duration{0}; }};
  std::deque<Seen> seen_{};
  std::uint64_t requests_{0};
  bool names_down_{false};
};

}  // namespace tocsin::fakes
