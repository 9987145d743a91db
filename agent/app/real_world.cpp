#include "agent/app/real_world.hpp"

#include <cstdlib>

#include "agent/app/version.hpp"
#include "agent/net/network.hpp"
#include "agent/runtime/helper_process.hpp"
#include "agent/runtime/pressure_triggers.hpp"
#include "agent/runtime/processes.hpp"

namespace tocsin::app {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

RealWorld::RealWorld(net::ProxySettings proxy) : proxy_{std::move(proxy)} {}
RealWorld::~RealWorld() = default;

Result<net::ProxySettings> RealWorld::proxy_for(const std::string& configured) {
  return net::proxy_settings(configured, environment);
}

Network& RealWorld::network() {
  if (network_) return *network_;
  net::NetworkOptions options{.proxy = proxy_, .user_agent = "tocsin/" + version()};
  if (book_ != nullptr) {
    options.load_address = [book = book_](const std::string& host) { return book->find(host); };
    options.save_address = [book = book_](const std::string& host, const std::string& address) {
      book->keep(host, address);
    };
  }
  network_ = net::make_network(loop.get_executor(), clock, std::move(options));
  return *network_;
}

schedule::Surroundings RealWorld::surroundings() {
  if (!processes_)
    processes_ = std::make_unique<runtime::RealProcesses>(loop.get_executor(), clock);
  if (!helper_) helper_ = std::make_unique<runtime::RealHelperProcess>(loop.get_executor(), clock);
  if (!pressure_) pressure_ = std::make_unique<runtime::RealPressureTriggers>(loop.get_executor());
  return {files, network(), *processes_, *helper_, *pressure_, kernel_clock_};
}

}  // namespace tocsin::app
