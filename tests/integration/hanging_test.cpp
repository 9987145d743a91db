// Two hundred checks of back ends that never come to an end: each costs its own check its timeout,
// and nothing else.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

constexpr int hanging_checks = 200;

/// Takes every connection, and then says nothing, a byte now and then, or the same for ever.
class EndlessServer {
 public:
  enum class Manner { silent, dripping, flooding };
  explicit EndlessServer(Manner manner) : manner_{manner} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 1024) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error{"cannot listen"};
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~EndlessServer() {
    over_ = true;
    thread_.join();
    for (const auto& peer : peers_) ::close(peer.fd);
    ::close(listener_);
  }
  EndlessServer(const EndlessServer&) = delete;
  EndlessServer& operator=(const EndlessServer&) = delete;
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    std::vector<char> heard(4096);
    const std::string flood(4096, '1');
    for (int round = 0; !over_; ++round) {
      std::vector<pollfd> all{{listener_, POLLIN, 0}};
      for (const auto& peer : peers_) all.push_back({peer.fd, POLLIN, 0});
      ::poll(all.data(), all.size(), 20);
      if (const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
          fd >= 0)
        peers_.push_back({fd, POLLIN, 0});
      std::erase_if(peers_, [&](const pollfd& peer) {
        const auto got = ::recv(peer.fd, heard.data(), heard.size(), MSG_DONTWAIT);
        const bool gone = got == 0 || (got < 0 && errno != EAGAIN);
        if (gone) ::close(peer.fd);
        if (!gone && manner_ == Manner::dripping && round % 10 == 0)
          ::send(peer.fd, flood.data(), 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (!gone && manner_ == Manner::flooding)
          ::send(peer.fd, flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return gone;
      });
    }
  }

  Manner manner_;
  int listener_{-1};
  int port_{0};
  std::vector<pollfd> peers_{};
  std::atomic<bool> over_{false};
  std::thread thread_{};
};

class Hanging : public ::testing::Test {
 protected:
  std::string proc(const std::string& name) {
    return "/proc/" + std::to_string(agent_.program().pid()) + "/" + name;
  }
  double status(const std::string& name) {
    const auto text = read_file(proc("status"));
    const auto found = text.find(name);
    return found == std::string::npos ? 0
                                      : std::strtod(text.c_str() + found + name.size(), nullptr);
  }
  std::ptrdiff_t descriptors() {
    const std::filesystem::directory_iterator all{proc("fd")};
    return std::distance(begin(all), end(all));
  }
  double runs(const std::string& check) const {
    return agent_.metric("tocsin_check_runs_total{check=\"" + check + "\",outcome=\"measured\"}");
  }
  /// The keys of one check of each type that talks to a server.
  std::vector<std::string> kinds(const std::string& address, const std::string& manner) const {
    const auto dsn = [&](const std::string& scheme) {
      return agent_.folder().write(manner + "-" + scheme + ".dsn",
                                   scheme + "://tocsin:x@" + address + "/db");
    };
    return {"type: tcp, address: \"" + address + "\", expect: never",
            "type: http, url: \"http://" + address + "/\"",
            "type: redis, address: \"" + address + "\"",
            "type: postgres, dsn: {file: " + dsn("postgresql") + "}",
            "type: mysql, dsn: {file: " + dsn("mysql") + "}",
            "type: websocket, url: \"ws://" + address + "/\"",
            "type: tls, address: \"" + address + "\"",
            "type: tls, starttls: smtp, address: \"" + address + "\"",
            "type: email_delivery, to: a@example.com, smtp: {address: \"" + address +
                "\", security: none}, imap: {address: \"" + address + "\", security: none}",
            "type: supervisord, url: \"http://" + address + "/RPC2\"",
            "type: elasticsearch, url: \"http://" + address + "\"",
            "type: prometheus, url: \"http://" + address + "\", query: up",
            "type: queue, from: {redis: {address: \"" + address + "\", list: q}}",
            "type: queue, from: {beanstalkd: {address: \"" + address + "\", tube: q}}",
            "type: queue, from: {rabbitmq: {url: \"http://" + address +
                "\", vhost: /, queue: q, username: u, password: {file: " +
                agent_.folder().write("password", "x\n") + "}}}"};
  }

  EndlessServer silent_{EndlessServer::Manner::silent};
  EndlessServer dripping_{EndlessServer::Manner::dripping};
  EndlessServer flooding_{EndlessServer::Manner::flooding};
  Agent agent_;
};

TEST_F(Hanging, TwoHundredChecksLeaveMemoryDescriptorsThreadsAndScheduleAsTheyWere) {
  std::vector<std::string> all;
  for (const auto& [server, manner] :
       {std::pair{&silent_, "silent"}, {&dripping_, "dripping"}, {&flooding_, "flooding"}})
    for (const auto& kind : kinds(server->address(), manner)) all.push_back(kind);
  std::string checks = "checks:\n  - {name: load, type: load, every: 200ms}\n";
  for (int i = 0; i < hanging_checks; ++i)
    checks += "  - {name: hangs-" + std::to_string(i) +
              ", every: 2s, timeout: 1s, topic: hanging, critical: up < 1 for 1h, unknown: ok, " +
              all[static_cast<std::size_t>(i) % all.size()] + "}\n";
  agent_.configure(checks);
  agent_.start();
  const auto ended = [&](double times) {
    return [this, times] {
      return agent_.metric("tocsin_check_duration_seconds_count{check=\"hangs-199\"}") >= times;
    };
  };
  ASSERT_TRUE(eventually(ended(2), 60s));
  const auto memory = status("VmRSS:");
  const auto threads = status("Threads:");
  const auto load_runs = runs("load");
  const auto since = steady_now();
  double descriptors_most = 0, threads_most = 0;
  ASSERT_TRUE(eventually(
      [&] {
        descriptors_most = std::max(descriptors_most, static_cast<double>(descriptors()));
        threads_most = std::max(threads_most, status("Threads:"));
        return ended(7)();
      },
      60s));
  const std::chrono::duration<double> took = steady_now() - since;
  EXPECT_GE(runs("load") - load_runs, took.count() * 5 * 0.8) << "the others keep their pace";
  EXPECT_LT(status("VmRSS:") - memory, 8 << 10) << "in KiB";
  EXPECT_LT(descriptors_most, 2 * hanging_checks) << "no more than those in flight need";
  EXPECT_LE(threads_most, threads + 1);
  agent_.stop();
}

}  // namespace
}  // namespace tocsin::integration
