// A real beanstalkd: a tube that nobody works on, then somebody does; and the server dies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* program = "/usr/bin/beanstalkd";

/// One connection to it.
class Client {
 public:
  explicit Client(int port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  /// Sends a command and returns what came up to `end`.
  std::string ask(const std::string& command, const std::string& end = "\r\n") const {
    const auto text = command + "\r\n";
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return {};
    std::string answer;
    char byte{};
    while (!answer.ends_with(end) && ::recv(socket_, &byte, 1, 0) == 1) answer += byte;
    return answer;
  }

 private:
  int socket_;
  bool connected_{false};
};

class Beanstalkd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(program, X_OK) != 0)
      GTEST_SKIP() << "beanstalkd is not installed: apt-get install beanstalkd";
    start();
  }
  void start() {
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (port_ == 0 || attempt > 0) port_ = free_port();
      server_ = std::make_unique<Program>(
          std::vector<std::string>{program, "-l", "127.0.0.1", "-p", std::to_string(port_)});
      const auto settled = [&] { return !server_->running() || Client{port_}.connected(); };
      if (eventually(settled) && server_->running()) return;
    }
    throw std::runtime_error{"beanstalkd did not start: " + server_->text()};
  }
  void watch(const std::string& rules) {
    agent_.configure(
        "checks:\n  - name: mailers\n    type: queue\n    every: 300ms\n    confirm_every: 100ms\n"
        "    from: {beanstalkd: {address: \"" +
            address() + "\", tube: mailers}}\n" + rules,
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("up") == 1; })) << agent_.get("/metrics").body;
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_queue_" + name + "{check=\"mailers\"}");
  }

  int port_{0};
  std::unique_ptr<Program> server_;
  Agent agent_;
};

TEST_F(Beanstalkd, ATubeThatNobodyWorksOnIsSaidAndAWorkerEndsIt) {
  watch("    critical: consumers < 1 and depth > 0 for 500ms\n    clear: depth == 0\n");
  EXPECT_EQ(sample("depth"), 0) << "a tube that is not there is empty";
  const Client producer{port_};
  EXPECT_EQ(producer.ask("use mailers"), "USING mailers\r\n");
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(producer.ask("put 0 0 60 5\r\nhello"), StartsWith("INSERTED"));
  const auto open = agent_.wait_for_incident("mailers", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("consumers 0 < 1 and depth 5 > 0"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "nobody consumes tube \"mailers\" on " + address());
  EXPECT_THAT(text_at(open, "summary", "recovery_estimate"),
              HasSubstr("does not drain: it has no consumers"));
  EXPECT_THAT(
      json::serialize(agent_.incident(text_at(open, "id"))),
      HasSubstr("5 in tube \\\"mailers\\\" on " + address() + ", 0 consumers, the oldest "));
  EXPECT_GE(sample("oldest_seconds"), 0);

  const Client worker{port_};
  EXPECT_EQ(worker.ask("watch mailers"), "WATCHING 2\r\n");
  EXPECT_TRUE(eventually([&] { return sample("consumers") == 1; }));
  for (int i = 0; i < 5; ++i) {
    const auto job = worker.ask("reserve", "hello\r\n");
    ASSERT_THAT(job, StartsWith("RESERVED "));
    if (i == 4)
      worker.ask("bury " + job.substr(9, job.find(' ', 9) - 9) + " 0");
    else
      worker.ask("delete " + job.substr(9, job.find(' ', 9) - 9));
  }
  agent_.wait_for_incident("mailers", "resolved");
  EXPECT_EQ(sample("depth"), 0) << "a buried job waits for people, not for workers";
}

TEST_F(Beanstalkd, AServerThatDiedIsDown) {
  watch("    critical: up < 1 for 2 of 3\n    clear: up == 1\n");
  server_->kill();
  const auto open = agent_.wait_for_incident("mailers", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "connect to " + address() + " failed: Connection refused");
  start();
  agent_.wait_for_incident("mailers", "resolved");
}

}  // namespace
}  // namespace tocsin::integration
