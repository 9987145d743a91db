#include "agent/net/resolver.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace tocsin::net {
namespace {

constexpr std::size_t kept_max = 256;
constexpr std::size_t asked_max = 64;
constexpr std::size_t last_good_max = 64;

}  // namespace

std::optional<Addresses> known_addresses(const std::string& host) {
  boost::system::error_code fault;
  const auto address = asio::ip::make_address(host, fault);
  if (!fault) return Addresses{address};
  if (host == "localhost")
    return Addresses{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
  return std::nullopt;
}

/// A question under way.
struct Resolver::Lookup {
  std::vector<Waiter*> waiters{};
  std::optional<Result<Addresses>> answer{};
};

/// One who waits for it, until the answer or a deadline.
struct Resolver::Waiter final : Expirable {
  Waiter(const asio::any_io_executor& executor, std::shared_ptr<Lookup> of)
      : lookup{std::move(of)}, bell{executor, 1} {
    lookup->waiters.push_back(this);
  }
  ~Waiter() override { std::erase(lookup->waiters, this); }
  void ring() { bell.try_send(boost::system::error_code{}); }
  void expire() override { ring(); }

  std::shared_ptr<Lookup> lookup;
  asio::experimental::channel<void(boost::system::error_code)> bell;
};

Resolver::Resolver(asio::any_io_executor executor, DeadlineWatch& watch, std::size_t threads_max,
                   Duration keep_for, ResolveCall resolve)
    : executor_{executor},
      watch_{watch},
      keep_for_{keep_for},
      threads_{executor, threads_max,
               resolve ? std::move(resolve) : ResolveCall{resolve_with_system},
               [this](const std::string& host, Result<std::vector<std::string>> result) {
                 answered(host, std::move(result));
               }} {}

const Addresses* Resolver::fresh(const std::string& host) const {
  const auto entry = kept_.find(host);
  if (entry == kept_.end() || entry->second.until <= watch_.clock().steady()) return nullptr;
  return &entry->second.addresses;
}

Result<std::shared_ptr<Resolver::Lookup>> Resolver::join(const std::string& host) {
  if (const auto entry = asked_.find(host); entry != asked_.end()) return entry->second;
  if (asked_.size() >= asked_max)
    return Error{Errc::too_large, std::to_string(asked_max) + " names are being asked for already"};
  if (auto good = threads_.submit(host); !good) return good.error();
  return asked_.emplace(host, std::make_shared<Lookup>()).first->second;
}

Task<Addresses> Resolver::resolve(std::string host, SteadyTime deadline) {
  if (const auto* addresses = fresh(host)) co_return *addresses;
  auto lookup = join(host);
  if (!lookup) co_return lookup.error();
  {
    Waiter waiter{executor_, *lookup};
    watch_.arm(waiter, deadline);
    auto ring = waiter.bell.async_receive(asio::as_tuple(asio::use_awaitable));
    co_await std::move(ring);
  }
  const auto& answer = (*lookup)->answer;
  if (answer) co_return *answer;
  // Nobody waits and nobody has begun: forget the question.
  if ((*lookup)->waiters.empty() && threads_.withdraw(host)) asked_.erase(host);
  co_return Error{Errc::timed_out, "no answer from the resolver in time"};
}

void Resolver::answered(const std::string& host, Result<std::vector<std::string>> result) {
  const auto entry = asked_.find(host);
  if (entry == asked_.end()) return;
  const auto lookup = entry->second;
  asked_.erase(entry);
  Addresses addresses;
  if (result) {
    for (const auto& text : *result) {
      boost::system::error_code fault;
      const auto address = asio::ip::make_address(text, fault);
      if (!fault) addresses.push_back(address);
    }
  }
  if (!addresses.empty()) {
    keep(host, addresses);
    lookup->answer = std::move(addresses);
  } else {
    lookup->answer = result ? Error{Errc::unresolved, "the name has no address"} : result.error();
  }
  for (auto* waiter : lookup->waiters) waiter->ring();
}

void Resolver::keep(const std::string& host, const Addresses& addresses) {
  const auto now = watch_.clock().steady();
  if (kept_.size() >= kept_max && !kept_.contains(host)) {
    std::erase_if(kept_, [&](const auto& entry) { return entry.second.until <= now; });
    if (kept_.size() >= kept_max) kept_.erase(kept_.begin());
  }
  kept_.insert_or_assign(host, Kept{addresses, now + keep_for_});
}

std::optional<asio::ip::address> LastGood::find(const std::string& host) {
  if (const auto entry = addresses_.find(host); entry != addresses_.end()) return entry->second;
  if (!load_) return std::nullopt;
  const auto kept = load_(host);
  if (!kept) return std::nullopt;
  boost::system::error_code fault;
  const auto address = asio::ip::make_address(*kept, fault);
  if (fault) return std::nullopt;
  if (addresses_.size() < last_good_max) addresses_.emplace(host, address);
  return address;
}

void LastGood::worked(const std::string& host, const asio::ip::address& address,
                      const Addresses& all) {
  const auto entry = addresses_.find(host);
  if (entry != addresses_.end() && std::find(all.begin(), all.end(), entry->second) != all.end())
    return;
  if (entry == addresses_.end() && addresses_.size() >= last_good_max) return;
  addresses_.insert_or_assign(host, address);
  if (save_) save_(host, address.to_string());
}

}  // namespace tocsin::net
