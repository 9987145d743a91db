// A real WebSocket server (websocketd) that echoes, hangs, and is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include "tests/integration/agent.hpp"
#include "tests/integration/nginx.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

constexpr const char* websocketd = "/usr/bin/websocketd";

class WebSocket : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(websocketd, X_OK) != 0)
      GTEST_SKIP() << "websocketd is not installed: apt-get install websocketd";
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed: apt-get install nginx";
    port_ = free_port();
    folder_.write("echo", "exec /bin/cat\n");
    start();
    nginx_.start();
    agent_.configure("checks:\n" + check("echo", address(), "send: hello, expect: ^hello$") +
                         check("ping", address(), "clear: up >= 1") +
                         check("site", nginx_.address(), "clear: up >= 1"),
                     "  recover_hold: 1s\n");
    agent_.start();
    for (const auto* name : {"echo", "ping"})
      ASSERT_TRUE(eventually([&] { return sample("up", name) == 1; }))
          << agent_.get("/api/v1/checks").body << server_->text();
  }
  void TearDown() override {
    if (server_) stop();
  }
  /// What it runs for each connection is in the file.
  void start() {
    server_ = std::make_unique<Program>(std::vector<std::string>{websocketd, "--address=127.0.0.1",
                                                                 "--port=" + std::to_string(port_),
                                                                 "/bin/sh", folder_ / "echo"});
    ASSERT_TRUE(eventually([&] { return ask_tcp(address(), {}, 2s).status != 0; }))
        << server_->text();
  }
  void stop() {
    server_->kill();
    server_.reset();
  }
  std::string check(const std::string& name, const std::string& where,
                    const std::string& keys) const {
    return "  - {name: " + name +
           ", type: websocket, every: 1s, timeout: 900ms, confirm_every: 100ms, url: \"ws://" +
           where + "/socket\", " + keys + "}\n";
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  double sample(const std::string& name, const std::string& check) const {
    return agent_.metric("tocsin_websocket_" + name + "{check=\"" + check + "\"}");
  }

  Folder folder_;
  int port_{0};
  std::unique_ptr<Program> server_;
  Nginx nginx_;
  Agent agent_;
};

TEST_F(WebSocket, AServerThatDiesOpensAnIncidentAndItsReturnEndsIt) {
  EXPECT_EQ(sample("status", "ping"), 101);
  EXPECT_GT(sample("round_trip_seconds", "ping"), 0);
  EXPECT_GT(sample("round_trip_seconds", "echo"), 0);
  EXPECT_LT(sample("round_trip_seconds", "echo"), 1);
  stop();
  const auto open = agent_.wait_for_incident("ping", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: ping on web-1: up 0 < 1"));
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "connect to " + address() + " failed: Connection refused");
  start();
  agent_.wait_for_incident("ping", "resolved");
}

TEST_F(WebSocket, AnEchoThatHangsIsFoundThoughTheServerStillPongs) {
  // The shell keeps the output open, which would else be the end of the connection.
  folder_.write("echo", "/bin/cat > /dev/null\n:\n");
  const auto open = agent_.wait_for_incident("echo", "open");
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("no message from " + address() + " after "));
  EXPECT_EQ(sample("up", "ping"), 1);
  folder_.write("echo", "exec /bin/cat\n");
  EXPECT_TRUE(eventually([&] { return sample("up", "echo") == 1; }));
}

TEST_F(WebSocket, AServerOfPlainHttpIsNone) {
  const auto open = agent_.wait_for_incident("site", "open");
  EXPECT_EQ(
      text_at(open, "summary", "probable_cause"),
      nginx_.address() + " did not open a WebSocket: it answered with status 200 OK, expected 101");
  EXPECT_EQ(sample("status", "site"), 200);
}

}  // namespace
}  // namespace tocsin::integration
