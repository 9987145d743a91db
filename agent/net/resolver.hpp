#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/net/deadlines.hpp"
#include "agent/net/lookup_threads.hpp"
#include "tocsin/async/task.hpp"

namespace tocsin::net {

using Addresses = std::vector<asio::ip::address>;

/// The addresses of a literal address or of "localhost" (RFC 6761), which need no asking.
std::optional<Addresses> known_addresses(const std::string& host);

/// Names to addresses, never on the loop's thread. One question a name is asked at a time, however
/// many wait for it; answers are used again for a short while. Not thread-safe: one loop.
class Resolver {
 public:
  Resolver(asio::any_io_executor executor, DeadlineWatch& watch, std::size_t threads_max,
           Duration keep_for, ResolveCall resolve);

  /// An answer that is still good, without waiting.
  const Addresses* fresh(const std::string& host) const;
  /// Errc::unresolved with the resolver's words, or Errc::timed_out. The question goes on after a
  /// timeout: its answer serves who asks next.
  Task<Addresses> resolve(std::string host, SteadyTime deadline);
  std::size_t threads() const { return threads_.threads(); }

 private:
  struct Lookup;
  struct Waiter;
  struct Kept {
    Addresses addresses;
    SteadyTime until;
  };
  Result<std::shared_ptr<Lookup>> join(const std::string& host);
  void answered(const std::string& host, Result<std::vector<std::string>> result);
  void keep(const std::string& host, const Addresses& addresses);

  asio::any_io_executor executor_;
  DeadlineWatch& watch_;
  Duration keep_for_;
  std::map<std::string, Kept> kept_{};
  std::map<std::string, std::shared_ptr<Lookup>> asked_{};
  LookupThreads threads_;  // Last: nothing answers before the rest is there.
};

/// The address that last worked for each of a few hosts, for the day the resolver is down.
class LastGood {
 public:
  using Load = std::function<std::optional<std::string>(const std::string& host)>;
  using Save = std::function<void(const std::string& host, const std::string& address)>;
  LastGood(Load load, Save save) : load_{std::move(load)}, save_{std::move(save)} {}

  std::optional<asio::ip::address> find(const std::string& host);
  /// Saved only when what was kept is no longer among the host's addresses: a name that answers
  /// with its addresses in turn must not cost a write each time.
  void worked(const std::string& host, const asio::ip::address& address, const Addresses& all);

 private:
  Load load_;
  Save save_;
  std::map<std::string, asio::ip::address> addresses_{};
};

}  // namespace tocsin::net
