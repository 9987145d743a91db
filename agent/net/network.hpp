#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/net/proxy.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::net {

/// What the network is built from. Everything has a working default.
struct NetworkOptions {
  ProxySettings proxy{};
  std::string user_agent{"tocsin"};
  /// The address that last worked for a host, from before this start, if one was kept. Called on
  /// the loop, at most once per host that cannot be resolved.
  std::function<std::optional<std::string>(const std::string& host)> load_address{};
  /// Keeps the address that worked for a host. Called on the loop, only when it changed.
  std::function<void(const std::string& host, const std::string& address)> save_address{};
  /// Resolves a name to addresses as text, blocking; called on threads of its own, several at a
  /// time. Default: getaddrinfo.
  std::function<Result<std::vector<std::string>>(const std::string& host)> resolve{};
  std::size_t resolver_threads_max{4};
  Duration resolved_for{std::chrono::seconds{10}};     ///< How long an answer is used again.
  Duration idle_connection{std::chrono::seconds{60}};  ///< How long an idle connection is kept.
  std::size_t idle_connections_max{16};
};

/// The real network on this loop. The clock must outlive it; it must outlive the calls made of it.
/// One thread uses it; name resolution has threads of its own, at most resolver_threads_max, which
/// are let go when a resolver hangs for good.
std::unique_ptr<Network> make_network(asio::any_io_executor executor, Clock& clock,
                                      NetworkOptions options);

}  // namespace tocsin::net
