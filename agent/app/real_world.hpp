#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "agent/app/address_book.hpp"
#include "agent/net/proxy.hpp"
#include "agent/runtime/host_files.hpp"
#include "agent/runtime/kernel_clock.hpp"
#include "agent/runtime/real_clock.hpp"
#include "agent/schedule/scheduler.hpp"
#include "tocsin/check/host.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::app {

/// This host as it is: the loop, the clock, and everything that checks and receivers may reach. The
/// parts that cost memory or a thread are made when they are first asked for.
class RealWorld {
 public:
  explicit RealWorld(net::ProxySettings proxy = {});
  ~RealWorld();
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  asio::io_context loop{1};
  runtime::RealClock clock;
  runtime::RootedFiles files{"/"};

  /// The proxy of receivers, from the configured URL or, when that is empty, from the environment.
  static Result<net::ProxySettings> proxy_for(const std::string& configured);
  /// Lets the network fall back to addresses that worked before. Call before network(); the book
  /// must outlive this.
  void remember_addresses(AddressBook& book) { book_ = &book; }
  Network& network();
  schedule::Surroundings surroundings();

 private:
  net::ProxySettings proxy_;
  AddressBook* book_{nullptr};
  std::unique_ptr<Network> network_;
  std::unique_ptr<Processes> processes_;
  std::unique_ptr<HelperProcess> helper_;
  std::unique_ptr<PressureTriggers> pressure_;
  runtime::AdjtimexClock kernel_clock_;
};

}  // namespace tocsin::app
