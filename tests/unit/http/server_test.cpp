#include "agent/http/server.hpp"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "agent/http/credentials.hpp"
#include "agent/http/request.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::http {
namespace {

using namespace std::chrono_literals;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// bcrypt of "secret", cost 4: as weak as it can be, for speed.
constexpr const char* secret_hash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

asio::awaitable<Response> say(Response response) { co_return response; }
asio::awaitable<Response> echo(Request request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.path + " user=" + request.user +
                  " trusted=" + (request.trusted ? "yes" : "no") +
                  " id=" + request.parameters["id"] + " q=" + request.query["q"] +
                  " body=" + request.body + " auth=" + request.headers["authorization"];
  co_return response;
}
asio::awaitable<Response> fail(Request) {
  throw std::runtime_error{"the password is hunter2"};
  co_return Response{};
}
asio::awaitable<Response> large(Request) {
  Response response;
  response.body = std::string(300'000, 'x');
  co_return response;
}

template <class Socket, class Endpoint>
asio::awaitable<std::string> talk(Endpoint endpoint, std::string bytes) {
  Socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect(endpoint, asio::use_awaitable);
  auto writing = asio::async_write(socket, asio::buffer(bytes), no_throw);
  co_await std::move(writing);
  std::string answer;
  auto reading = asio::async_read(socket, asio::dynamic_buffer(answer), no_throw);
  co_await std::move(reading);
  co_return answer;
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-http-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    router_.add("GET", "/metrics", Access::read, [](Request) {
      return say({200, "text/plain", "up 1\n"});
    });
    router_.add("GET", "/large", Access::read, large);
    router_.add("GET", "/fail", Access::read, fail);
    router_.add("GET", "/api/v1/incidents/{id}", Access::read, echo);
    router_.add("GET", "/api/v1/incidents/special", Access::read, [](Request) {
      return say({200, "text/plain", "special"});
    });
    router_.add("POST", "/api/v1/incidents/{id}/ack", Access::write, echo);
  }
  void TearDown() override {
    fakes::run_to_end(loop_, tasks_.stop(clock_, clock_.steady() + 1s));
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void listen(const std::optional<WebConfig>& web = {}) {
    server_.emplace(loop_.get_executor(), clock_, tasks_, router_,
                    [this](const std::string& fault) { faults_.push_back(fault); });
    auto bound = server_->listen_tcp("127.0.0.1:0", web);
    ASSERT_TRUE(bound) << bound.error().detail;
    const auto colon = bound->rfind(':');
    endpoint_ = {asio::ip::make_address(bound->substr(0, colon)),
                 static_cast<std::uint16_t>(std::stoi(bound->substr(colon + 1)))};
    socket_path_ = folder_ + "/control.sock";
    const auto made = server_->listen_unix(socket_path_);
    ASSERT_TRUE(made) << made.error().detail;
  }
  std::string tcp(const std::string& bytes) {
    return fakes::run_to_end(loop_, talk<Tcp::socket>(endpoint_, bytes));
  }
  std::string control(const std::string& bytes) {
    return fakes::run_to_end(loop_, talk<Unix::socket>(Unix::endpoint{socket_path_}, bytes));
  }
  static std::string get(const std::string& target, const std::string& more = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more + "\r\n";
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  asio::io_context loop_;
  fakes::ManualClock clock_;
  TaskGroup tasks_{loop_.get_executor()};
  Router router_;
  std::vector<std::string> faults_;
  std::optional<Server> server_;
  Tcp::endpoint endpoint_;
  std::string folder_, socket_path_;
  std::string answer_;
  bool ended_{false};
};

TEST_F(ServerTest, AnswersWithLengthTypeAndBody) {
  listen();
  const auto answer = tcp(get("/metrics"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Content-Type: text/plain\r\n"));
  EXPECT_TRUE(has(answer, "Content-Length: 5\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nup 1\n"));
  EXPECT_GT(tcp(get("/large")).size(), 300'000u);
}

TEST_F(ServerTest, HeadHasTheHeaderOfGetAndNoBody) {
  listen();
  const auto answer = tcp("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(has(answer, "Content-Length: 5\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, ConnectionsAreKeptAndRequestsMayBePipelined) {
  listen();
  std::string bytes;
  for (int i = 0; i < 20; ++i)
    bytes += "GET /api/v1/incidents/i" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto answer = tcp(bytes + get("/metrics"));
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = answer.find("id=i" + std::to_string(i) + " ", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_TRUE(answer.ends_with("up 1\n"));
}

TEST_F(ServerTest, PathsAndQueriesAreDecoded) {
  listen();
  EXPECT_TRUE(has(tcp(get("/api/v1/incidents/a%20b?q=1+2%26&r")), "id=a b q=1 2& "));
  EXPECT_TRUE(tcp(get("/api/v1/incidents/%zz")).starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(tcp(get("/api/v1/incidents/a%00b")).starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(has(tcp(get("/api/v1/incidents/special")), "special"))
      << "a word goes before a parameter";
}

TEST_F(ServerTest, UnknownPathsNameTheNearest) {
  listen();
  const auto answer = tcp(get("/metric"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(has(answer, R"({"error":"no such path: /metric; did you mean /metrics?"})"))
      << answer;
  EXPECT_TRUE(tcp(get("/api/v1/incidents/")).starts_with("HTTP/1.1 404"));
}

TEST_F(ServerTest, WrongMethodsNameTheRightOnes) {
  listen();
  const auto answer = tcp("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(has(answer, "Allow: GET, HEAD\r\n")) << answer;
}

TEST_F(ServerTest, TcpIsReadOnlyAndTheControlSocketIsNot) {
  listen();
  const std::string ack =
      "POST /api/v1/incidents/x/ack HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
      "5\r\n\r\nhello";
  const auto refused = tcp(ack);
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(has(refused, "use the control socket")) << refused;
  const auto taken = control(ack);
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 200")) << taken;
  const auto* me = ::getpwuid(::getuid());
  ASSERT_NE(me, nullptr);
  EXPECT_TRUE(has(taken, std::string{"user="} + me->pw_name + " trusted=yes id=x q= body=hello"))
      << taken;
}

TEST_F(ServerTest, TheControlSocketHasItsModeAndReplacesAStaleOne) {
  listen();
  struct stat about {};
  ASSERT_EQ(::stat(socket_path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0660u);
  Server second{loop_.get_executor(), clock_, tasks_, router_};
  EXPECT_EQ(second.listen_unix(socket_path_).error().code, Errc::refused);
  const auto stale = folder_ + "/stale.sock";
  { Unix::acceptor dead{loop_, Unix::endpoint{stale}}; }
  EXPECT_TRUE(second.listen_unix(stale));
  std::ofstream{folder_ + "/file"} << "x";
  EXPECT_FALSE(second.listen_unix(folder_ + "/file"));
  EXPECT_EQ(second.listen_unix(folder_ + "/" + std::string(120, 'x')).error().code,
            Errc::too_large);
}

TEST_F(ServerTest, WhatAHandlerThrowsIsToldToTheLogOnly) {
  listen();
  const auto answer = tcp(get("/fail"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500"));
  EXPECT_FALSE(has(answer, "hunter2"));
  ASSERT_EQ(faults_.size(), 1u);
  EXPECT_EQ(faults_[0], "GET /fail: the password is hunter2");
}

TEST_F(ServerTest, WhatIsTooLargeIsRefusedByItsName) {
  listen();
  EXPECT_TRUE(tcp(get("/metrics", "X: " + std::string(limits::http_header_bytes, 'x') + "\r\n"))
                  .starts_with("HTTP/1.1 431"));
  const auto body = std::to_string(limits::http_request_bytes + 1);
  EXPECT_TRUE(control("POST /api/v1/incidents/x/ack HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                      body + "\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
  std::string chunked =
      "POST /api/v1/incidents/x/ack HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunked += "10000\r\n" + std::string(0x10000, 'c') + "\r\n";
  EXPECT_TRUE(control(chunked + "0\r\n\r\n").starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTest, GarbageIsRefusedAndHurtsNobody) {
  listen();
  EXPECT_TRUE(tcp(std::string(10'000, '\xff')).starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(tcp("GET / HTTP/9.9\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(tcp("GET metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(tcp(get("/metrics")).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(faults_.empty());
}

asio::awaitable<void> loris(Tcp::endpoint endpoint, std::string& answer, bool& ended) {
  Tcp::socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect(endpoint, asio::use_awaitable);
  auto writing = asio::async_write(socket, asio::buffer("GET /met", 8), no_throw);
  co_await std::move(writing);
  auto reading = asio::async_read(socket, asio::dynamic_buffer(answer), no_throw);
  co_await std::move(reading);
  ended = true;
}

TEST_F(ServerTest, ASlowClientIsEndedAndCostsNobodyElse) {
  listen();
  tasks_.spawn("loris", loris(endpoint_, answer_, ended_));
  for (int i = 0; i < 50; ++i) loop_.poll();
  EXPECT_TRUE(tcp(get("/metrics")).starts_with("HTTP/1.1 200"));
  fakes::run_for(loop_, clock_, 9s);
  EXPECT_FALSE(ended_);
  for (int i = 0; i < 5; ++i) fakes::run_for(loop_, clock_, 1s);
  loop_.restart();
  for (int i = 0; i < 100 && !ended_; ++i) loop_.poll();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(answer_, "");
}

TEST_F(ServerTest, IdleServersHaveNoTimers) {
  listen();
  fakes::settle(loop_);
  EXPECT_EQ(clock_.sleepers(), 0u);
  EXPECT_TRUE(tcp(get("/metrics")).starts_with("HTTP/1.1 200"));
  fakes::settle(loop_);
  EXPECT_EQ(clock_.sleepers(), 0u);
}

TEST_F(ServerTest, MoreConnectionsThanPlacesWaitForOne) {
  listen();
  std::vector<Tcp::socket> held;
  const auto places = limits::http_connections - limits::http_connections / 4;
  for (std::size_t i = 0; i < places; ++i) {
    held.emplace_back(loop_);
    held.back().connect(endpoint_);
    loop_.restart();
    for (int k = 0; k < 5; ++k) loop_.poll();
  }
  tasks_.spawn("late", loris(endpoint_, answer_, ended_));
  loop_.restart();
  for (int i = 0; i < 20; ++i) loop_.poll();
  EXPECT_TRUE(has(control(get("/metrics")), "200 OK"))
      << "the control socket has places of its own";
  held.clear();
  EXPECT_TRUE(tcp(get("/metrics")).starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTest, WithUsersEverythingNeedsAPassword) {
  WebConfig web;
  web.basic_auth_users["jane"] = secret_hash;
  listen(web);
  const auto refused = tcp(get("/metrics"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401")) << refused;
  EXPECT_TRUE(has(refused, "WWW-Authenticate: Basic"));
  // jane:secret, jane:wrong, joe:secret
  for (const char* wrong : {"amFuZTp3cm9uZw==", "am9lOnNlY3JldA==", "!!", ""}) {
    EXPECT_TRUE(tcp(get("/metrics", std::string{"Authorization: Basic "} + wrong + "\r\n"))
                    .starts_with("HTTP/1.1 401"))
        << wrong;
  }
  const auto taken =
      tcp("POST /api/v1/incidents/x/ack HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
          "Basic "
          "amFuZTpzZWNyZXQ=\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(has(taken, "user=jane trusted=yes")) << taken;
  EXPECT_TRUE(taken.ends_with("auth=")) << "handlers must not see passwords";
}

TEST_F(ServerTest, OnlyLoopbackIsServedWithoutAuthentication) {
  listen();
  const auto refused = server_->listen_tcp("0.0.0.0:0", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  WebConfig web;
  web.basic_auth_users["jane"] = secret_hash;
  EXPECT_TRUE(server_->listen_tcp("0.0.0.0:0", web));
  EXPECT_FALSE(server_->listen_tcp("example.com:80", {}));
  EXPECT_TRUE(server_->listen_tcp("[::1]:0", {}).value_or("no IPv6 here").size() > 0);
  const auto taken = server_->listen_tcp("127.0.0.1:" + std::to_string(endpoint_.port()), {});
  ASSERT_FALSE(taken);
  EXPECT_TRUE(has(taken.error().detail, "another program may have the port"))
      << taken.error().detail;
}

asio::awaitable<std::string> talk_tls(Tcp::endpoint endpoint, std::string bytes,
                                      std::string& name) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  asio::ssl::stream<Tcp::socket> stream{co_await asio::this_coro::executor, context};
  co_await stream.lowest_layer().async_connect(endpoint, asio::use_awaitable);
  auto shaking = stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_await std::move(shaking);
  X509* certificate = ::SSL_get1_peer_certificate(stream.native_handle());
  char text[256] = "";
  ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName, text,
                              sizeof text);
  ::X509_free(certificate);
  name = text;
  auto writing = asio::async_write(stream, asio::buffer(bytes), no_throw);
  co_await std::move(writing);
  std::string answer;
  auto reading = asio::async_read(stream, asio::dynamic_buffer(answer), no_throw);
  co_await std::move(reading);
  co_return answer;
}

TEST_F(ServerTest, TlsServesAndReadsItsFilesAgainWhenTheyChange) {
  const auto make = [&](const std::string& name) {
    const auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=" +
        name + " -keyout " + folder_ + "/key.pem -out " + folder_ + "/cert.pem 2>/dev/null";
    return std::system(command.c_str()) == 0;
  };
  ASSERT_TRUE(make("first"));
  WebConfig web;
  web.cert_file = folder_ + "/cert.pem";
  web.key_file = folder_ + "/key.pem";
  listen(web);
  std::string name;
  EXPECT_TRUE(has(fakes::run_to_end(loop_, talk_tls(endpoint_, get("/metrics"), name)), "up 1"));
  EXPECT_EQ(name, "first");
  ASSERT_TRUE(make("second-one"));
  EXPECT_TRUE(has(fakes::run_to_end(loop_, talk_tls(endpoint_, get("/metrics"), name)), "up 1"));
  EXPECT_EQ(name, "second-one");
  std::ofstream{folder_ + "/cert.pem"} << "broken";
  EXPECT_TRUE(has(fakes::run_to_end(loop_, talk_tls(endpoint_, get("/metrics"), name)), "up 1"));
  EXPECT_EQ(name, "second-one");
  ASSERT_EQ(faults_.size(), 1u);
  EXPECT_TRUE(has(faults_[0], "cert.pem cannot be used")) << faults_[0];
  EXPECT_FALSE(server_->listen_tcp("127.0.0.1:0", web));
}

TEST_F(ServerTest, TheWebConfigurationIsReadStrictly) {
  const auto load = [&](const std::string& text) {
    std::ofstream{folder_ + "/web.yaml"} << text;
    return load_web_config(folder_ + "/web.yaml");
  };
  const auto good =
      load(std::string{
               "tls_server_config:\n  cert_file: c.pem\n  key_file: /k.pem\n  min_version: TLS13\n"
               "basic_auth_users:\n  jane: "} +
           secret_hash + "\n");
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->cert_file, folder_ + "/c.pem");
  EXPECT_EQ(good->key_file, "/k.pem");
  EXPECT_TRUE(good->authenticates());
  EXPECT_TRUE(load(""));
  const std::pair<const char*, const char*> faults[] = {
      {"basic_auth_user: {}", ":1:1: basic_auth_user is not a key"},
      {"tls_server_config: {cert_file: a}", "needs both cert_file and key_file"},
      {"tls_server_config:\n  cert_file: a\n  key_file: b\n  ciphers: x",
       ":4:3: tls_server_config.ciphers is not"},
      {"tls_server_config: {cert_file: a, key_file: b, min_version: SSL3}",
       "must be one of TLS12, TLS13"},
      {"tls_server_config: {cert_file: a, key_file: b, client_auth_type: "
       "RequireAndVerifyClientCert}",
       "needs a client_ca_file"},
      {"basic_auth_users: {jane: hunter2}", "password of jane must be a bcrypt hash"},
      {"a: [", ""},
      {"- a", "expected a map"}};
  for (const auto& [text, expected] : faults) {
    const auto result = load(text);
    ASSERT_FALSE(result) << text;
    EXPECT_TRUE(has(result.error().detail, expected)) << result.error().detail;
    EXPECT_FALSE(has(result.error().detail, "hunter2"));
  }
  EXPECT_FALSE(load_web_config(folder_ + "/nothing.yaml"));
}

TEST(Credentials, BasicIsReadAndNothingElse) {
  EXPECT_EQ(parse_basic("Basic amFuZTpzZWNyZXQ=")->password.reveal(), "secret");
  EXPECT_EQ(parse_basic("bASIC amFuZTpzZWNyZXQ=")->user, "jane");
  EXPECT_FALSE(parse_basic("Bearer amFuZTpzZWNyZXQ="));
  EXPECT_FALSE(parse_basic("Basic "));
  EXPECT_FALSE(parse_basic("Basic amFuZQ=="));
  EXPECT_FALSE(parse_basic("Basic " + std::string(5000, 'a')));
}

TEST(Credentials, BcryptMatchesOnlyItsPassword) {
  EXPECT_TRUE(matches_bcrypt(Secret{"secret"}, secret_hash));
  EXPECT_FALSE(matches_bcrypt(Secret{"Secret"}, secret_hash));
  EXPECT_FALSE(matches_bcrypt(Secret{"secret"}, "$2y$04$short"));
  EXPECT_FALSE(matches_bcrypt(Secret{""}, ""));
}

}  // namespace
}  // namespace tocsin::http
