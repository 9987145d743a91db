#include "agent/http/server.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/http/connection.hpp"
#include "agent/http/tls.hpp"
#include "tocsin/async/wakeup.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::http {
namespace {

using namespace std::chrono_literals;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

/// The control socket keeps places of its own, so that nobody on TCP can take them all.
constexpr std::size_t unix_connections = limits::http_connections / 4;
constexpr std::size_t tcp_connections = limits::http_connections - unix_connections;
constexpr int backlog = 128;

/// How many connections there are, and a bell for when one has ended.
struct Places {
  Places(asio::any_io_executor executor, std::size_t places)
      : most{places}, freed{std::move(executor)} {}
  std::size_t most;
  std::size_t taken{0};
  Wakeup freed;
};

asio::awaitable<void> in_place(std::shared_ptr<Places> places, asio::awaitable<void> work) {
  struct Place {
    Places& of;
    ~Place() {
      --of.taken;
      of.freed.raise();
    }
  } const place{*places};
  co_await std::move(work);
}

/// From /etc/passwd alone: the name services may ask the network, and the loop must not.
std::string name_of(uid_t uid) {
  std::string name = "uid " + std::to_string(uid);
  std::FILE* file = std::fopen("/etc/passwd", "re");
  if (!file) return name;
  std::array<char, 4096> text;
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(file, &entry, text.data(), text.size(), &found) == 0) {
    if (entry.pw_uid != uid) continue;
    name = entry.pw_name;
    break;
  }
  std::fclose(file);
  return name;
}

Peer peer_of(Unix::socket& socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return {};
  return {name_of(who.uid), true};
}

Result<Tcp::endpoint> endpoint_of(const std::string& address) {
  // Port 0, any free one, is for listening only, so the common reader refuses it.
  const bool any_port = address.ends_with(":0");
  const auto parsed =
      parse_host_port(any_port ? address.substr(0, address.size() - 1) + "1" : address);
  if (!parsed) return parsed.error();
  const auto host = parsed->host == "localhost" ? std::string{"127.0.0.1"} : parsed->host;
  boost::system::error_code problem;
  const auto ip = asio::ip::make_address(host, problem);
  if (problem) {
    return Error{
        Errc::malformed,
        "http.listen needs an IP address or localhost and a port, found \"" + address + "\""};
  }
  return Tcp::endpoint{ip, any_port ? std::uint16_t{0} : parsed->port};
}

}  // namespace

struct Server::Impl {
  Impl(asio::any_io_executor on, Clock& time, TaskGroup& group, const Router& routes,
       FaultSink sink)
      : executor{on},
        clock{time},
        tasks{group},
        router{routes},
        on_fault{std::move(sink)},
        tcp_places{std::make_shared<Places>(on, tcp_connections)},
        unix_places{std::make_shared<Places>(on, unix_connections)} {}

  template <class Acceptor, class Serve>
  static asio::awaitable<void> accept(std::shared_ptr<Impl> self,
                                      std::shared_ptr<Acceptor> acceptor,
                                      std::shared_ptr<Places> places, Serve serve);
  void serve_tcp(const std::shared_ptr<Site>& site, const std::shared_ptr<TlsFiles>& tls,
                 bool certified, Tcp::socket socket);

  asio::any_io_executor executor;
  Clock& clock;
  TaskGroup& tasks;
  const Router& router;
  FaultSink on_fault;
  std::shared_ptr<Places> tcp_places, unix_places;
  std::vector<std::shared_ptr<Tcp::acceptor>> tcp_acceptors;
  std::vector<std::shared_ptr<Unix::acceptor>> unix_acceptors;
  std::vector<std::string> socket_files;
};

template <class Acceptor, class Serve>
asio::awaitable<void> Server::Impl::accept(std::shared_ptr<Impl> self,
                                           std::shared_ptr<Acceptor> acceptor,
                                           std::shared_ptr<Places> places, Serve serve) {
  while (acceptor->is_open()) {
    while (places->taken >= places->most) {
      auto freed = places->freed.wait();
      co_await std::move(freed);
    }
    auto accepting = acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
    auto outcome = co_await std::move(accepting);
    auto& [problem, socket] = outcome;
    if (!acceptor->is_open()) co_return;
    if (problem) {
      // Out of descriptors, most likely: the waiting connection stays in the kernel's queue
      // meanwhile.
      co_await self->clock.sleep_until(self->clock.steady() + 100ms);
      continue;
    }
    ++places->taken;
    serve(std::move(socket));
  }
}

void Server::Impl::serve_tcp(const std::shared_ptr<Site>& site,
                             const std::shared_ptr<TlsFiles>& tls, bool certified,
                             Tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(Tcp::no_delay{true}, ignored);
  if (!tls) {
    tasks.spawn("http connection",
                in_place(tcp_places, serve_plain(site, std::move(socket), Peer{})));
    return;
  }
  const auto before = tls->last_error();
  auto context = tls->context();
  if (!tls->last_error().empty() && tls->last_error() != before && on_fault)
    on_fault(tls->last_error());
  tasks.spawn("https connection", in_place(tcp_places, serve_tls(site, std::move(socket),
                                                                 std::move(context), certified)));
}

Server::Server(asio::any_io_executor executor, Clock& clock, TaskGroup& tasks, const Router& router,
               FaultSink on_fault)
    : impl_{
          std::make_shared<Impl>(std::move(executor), clock, tasks, router, std::move(on_fault))} {}

Server::~Server() {
  boost::system::error_code ignored;
  for (const auto& acceptor : impl_->tcp_acceptors) acceptor->close(ignored);
  for (const auto& acceptor : impl_->unix_acceptors) acceptor->close(ignored);
  for (const auto& file : impl_->socket_files) ::unlink(file.c_str());
}

Result<std::string> Server::listen_tcp(const std::string& address,
                                       const std::optional<WebConfig>& web) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) return endpoint.error();
  if (!endpoint->address().is_loopback() && !(web && web->authenticates())) {
    return Error{Errc::refused,
                 "listening on " + address +
                     " needs authentication: listen on 127.0.0.1, or configure basic_auth_users or "
                     "client certificates in http.web_config"};
  }
  std::shared_ptr<TlsFiles> tls;
  if (web && !web->cert_file.empty()) {
    auto loaded = TlsFiles::load(*web);
    if (!loaded) return loaded.error();
    tls = *std::move(loaded);
  }
  const auto site = std::make_shared<Site>(Site{impl_->clock, impl_->router, impl_->on_fault});
  if (web && !web->basic_auth_users.empty())
    site->passwords = std::make_unique<Passwords>(web->basic_auth_users);
  const bool certified = tls && web->client_auth_type == "RequireAndVerifyClientCert";

  auto acceptor = std::make_shared<Tcp::acceptor>(impl_->executor);
  boost::system::error_code problem;
  acceptor->open(endpoint->protocol(), problem);
  if (!problem) acceptor->set_option(Tcp::acceptor::reuse_address{true}, problem);
  if (!problem) acceptor->bind(*endpoint, problem);
  if (!problem) acceptor->listen(backlog, problem);
  if (problem) {
    return Error{Errc::unreachable,
                 "listening on " + address + " failed: " + problem.message() +
                     "; another program may have the port: choose another in http.listen"};
  }
  impl_->tcp_acceptors.push_back(acceptor);
  auto serve = [impl = impl_.get(), site, tls, certified](Tcp::socket socket) {
    impl->serve_tcp(site, tls, certified, std::move(socket));
  };
  impl_->tasks.spawn("http listener",
                     Impl::accept(impl_, acceptor, impl_->tcp_places, std::move(serve)));
  const auto bound = acceptor->local_endpoint();
  return to_string(HostPort{bound.address().to_string(), bound.port()});
}

Result<void> Server::listen_unix(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{Errc::too_large, "the control socket's path " + path +
                                      " is longer than 107 bytes: shorten state_dir"};
  }
  const Unix::endpoint endpoint{path};
  boost::system::error_code problem;
  Unix::socket visitor{impl_->executor};
  visitor.connect(endpoint, problem);
  if (!problem) {
    return Error{Errc::refused,
                 "another agent answers on " + path + ": stop that one, or set another state_dir"};
  }
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0) {
    if (!S_ISSOCK(about.st_mode))
      return Error{Errc::refused, path + " is there and is not a socket: move it away"};
    ::unlink(path.c_str());
  }
  auto acceptor = std::make_shared<Unix::acceptor>(impl_->executor);
  problem.clear();
  acceptor->open(endpoint.protocol(), problem);
  const auto usual = ::umask(0117);
  if (!problem) acceptor->bind(endpoint, problem);
  ::umask(usual);
  if (!problem) acceptor->listen(backlog, problem);
  if (problem)
    return Error{Errc::unreadable,
                 "the control socket " + path + " cannot be made: " + problem.message()};
  impl_->socket_files.push_back(path);
  impl_->unix_acceptors.push_back(acceptor);
  const auto site = std::make_shared<Site>(Site{impl_->clock, impl_->router, impl_->on_fault});
  auto serve = [impl = impl_.get(), site](Unix::socket socket) {
    auto peer = peer_of(socket);
    impl->tasks.spawn(
        "control connection",
        in_place(impl->unix_places, serve_unix(site, std::move(socket), std::move(peer))));
  };
  impl_->tasks.spawn("control listener",
                     Impl::accept(impl_, acceptor, impl_->unix_places, std::move(serve)));
  return {};
}

}  // namespace tocsin::http
