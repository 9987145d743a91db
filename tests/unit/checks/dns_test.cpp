#include "checks/dns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checks/dns_answer.hpp"
#include "tests/unit/checks/made_check.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using checks::DnsType;
using checks::parse_dns_answer;
using checks::plain_record;
using checks::reverse_name;
using checks_test::complaints_of;
using checks_test::list_of;
using checks_test::made;
using checks_test::map_of;
using checks_test::word;
using fakes::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string two(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
}
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}
/// "shop.example.com" as messages hold it.
std::string wire_name(const std::string& name) {
  std::string out;
  for (const auto label : split(name, '.')) (out += static_cast<char>(label.size())) += label;
  return out + '\0';
}
/// A record whose name points at the question's.
std::string record(unsigned type, const std::string& data, unsigned ttl = 300) {
  return bytes({0xc0, 12}) + two(type) + two(1) + two(0) + two(ttl) +
         two(static_cast<unsigned>(data.size())) + data;
}
std::string answer(unsigned flags, const std::vector<std::string>& records,
                   const std::string& name = "shop.example", unsigned type = 1) {
  std::string out = two(0x1234) + two(0x8180 | flags) + two(1) +
                    two(static_cast<unsigned>(records.size())) + two(0) + two(0) + wire_name(name) +
                    two(type) + two(1);
  for (const auto& each : records) out += each;
  return out;
}
const std::string address = bytes({192, 0, 2, 10});

TEST(DnsAnswer, RecordsOfEveryTypeAreRead) {
  const std::pair<std::string, const char*> table[] = {
      {record(1, address), "192.0.2.10"},
      {record(28, bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})), "2001:db8::1"},
      {record(5, wire_name("Web.Example")), "web.example"},
      {record(2, bytes({3}) + "ns1" + bytes({0xc0, 12})), "ns1.shop.example"},
      {record(12, wire_name("web.example")), "web.example"},
      {record(15, two(10) + wire_name("mail.example")), "10 mail.example"},
      {record(16, bytes({5}) + "v=spf" + bytes({3}) + "1 -"), "v=spf1 -"},
      {record(33, two(0) + two(5) + two(5060) + wire_name("sip.example")), "0 5 5060 sip.example"},
      {record(6, wire_name("ns.example") + wire_name("host.example") + two(0) + two(7) + two(0) +
                     two(1) + two(0) + two(2) + two(0) + two(3) + two(0) + two(4)),
       "ns.example host.example 7 1 2 3 4"},
      {record(99, "whatever"), ""},
  };
  for (const auto& [wire, text] : table) {
    const auto read = parse_dns_answer(answer(0, {wire}));
    ASSERT_TRUE(read) << text;
    ASSERT_EQ(read->records.size(), 1u);
    EXPECT_EQ(read->records[0].text, text);
    EXPECT_EQ(read->records[0].ttl, 300u);
  }
}

TEST(DnsAnswer, EveryCutIsAnErrorOrATruncatedAnswer) {
  const auto whole =
      answer(0, {record(5, wire_name("web.example")), record(15, two(1) + wire_name("m.example"))});
  ASSERT_TRUE(parse_dns_answer(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_dns_answer(std::string_view{whole}.substr(0, length))) << length;
  const auto cut = parse_dns_answer(answer(0x0200, {record(1, address), "rest"}));
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->truncated);
  EXPECT_EQ(cut->records.size(), 1u);
}

TEST(DnsAnswer, LiesAreRefused) {
  EXPECT_FALSE(parse_dns_answer(answer(0, {record(1, "abc")}).substr(0, 30)));
  const auto endless = answer(0, {}, "x").substr(0, 12) + bytes({0xc0, 12}) + two(1) + two(1);
  EXPECT_FALSE(parse_dns_answer(endless)) << "a name that points at itself";
  auto question = answer(0, {});
  question[2] = 1;
  EXPECT_FALSE(parse_dns_answer(question)) << "it is not an answer";
  const auto beyond = parse_dns_answer(answer(0, {record(16, bytes({200}) + "short")}));
  ASSERT_TRUE(beyond) << "a string that claims more than there is ends with its record";
  EXPECT_EQ(beyond->records[0].text, "short");
  EXPECT_FALSE(parse_dns_answer(answer(0, {record(5, bytes({3}) + "ab")})));
}

TEST(DnsRecords, AreComparedInOneForm) {
  EXPECT_EQ(plain_record(DnsType::aaaa, "2001:DB8:0::1"), "2001:db8::1");
  EXPECT_EQ(plain_record(DnsType::a, " 192.0.2.1 "), "192.0.2.1");
  EXPECT_EQ(plain_record(DnsType::mx, "10 Mail.Example."), "10 mail.example");
  EXPECT_EQ(plain_record(DnsType::txt, "V=Spf1."), "V=Spf1.");
  EXPECT_EQ(reverse_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  EXPECT_EQ(reverse_name("shop.example"), "shop.example");
}

/// A name server of UDP and TCP on loopback, in a thread of its own, that answers as told: with the
/// question's own id and question in front.
class NameServer {
 public:
  struct Script {
    unsigned flags{0};
    std::vector<std::string> records{};
    bool silent{false};
    std::string raw{};  ///< Instead of an answer.
    std::vector<std::string> over_tcp{};
  };
  explicit NameServer(Script script) : script_{std::move(script)} {
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(udp_, reinterpret_cast<sockaddr*>(&where), sizeof where);
    socklen_t size = sizeof where;
    ::getsockname(udp_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!script_.over_tcp.empty()) {
      ::bind(tcp_, reinterpret_cast<sockaddr*>(&where), sizeof where);
      ::listen(tcp_, 4);
    }
    ::pipe(end_.data());
    thread_ = std::thread{[this] { serve(); }};
  }
  ~NameServer() {
    ::close(end_[1]);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, end_[0]}) ::close(descriptor);
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  static std::string reply(const std::string& asked, unsigned flags,
                           const std::vector<std::string>& records) {
    auto end = std::size_t{12};
    while (asked.at(end) != '\0') end += 1u + static_cast<unsigned char>(asked.at(end));
    auto out = asked.substr(0, 2) + two(0x8180 | flags) + two(1) +
               two(static_cast<unsigned>(records.size())) + two(0) + two(0) +
               asked.substr(12, end + 5 - 12);
    for (const auto& each : records) out += each;
    return out;
  }
  void serve() {
    for (;;) {
      std::array<pollfd, 3> waits{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {end_[0], POLLIN, 0}}};
      if (script_.over_tcp.empty()) waits[1].fd = -1;
      ::poll(waits.data(), waits.size(), -1);
      if (waits[2].revents != 0) return;
      std::array<char, 2000> room{};
      if (waits[0].revents != 0) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto got = ::recvfrom(udp_, room.data(), room.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 12 || script_.silent) continue;
        const std::string asked{room.data(), static_cast<std::size_t>(got)};
        const auto told =
            script_.raw.empty() ? reply(asked, script_.flags, script_.records) : script_.raw;
        ::sendto(udp_, told.data(), told.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
      if (waits[1].revents != 0) {
        const int peer = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
        const auto got = ::recv(peer, room.data(), room.size(), 0);
        if (got > 14) {
          const auto told =
              reply({room.data() + 2, static_cast<std::size_t>(got - 2)}, 0, script_.over_tcp);
          const auto framed = two(static_cast<unsigned>(told.size())) + told;
          ::send(peer, framed.data(), framed.size(), MSG_NOSIGNAL);
        }
        ::close(peer);
      }
    }
  }

  Script script_;
  int udp_{-1}, tcp_{-1};
  std::array<int, 2> end_{-1, -1};
  std::uint16_t port_{0};
  std::thread thread_{};
};

/// A network for sockets of libraries: waits for them, but no longer than they need on loopback; a
/// wait that would have to be longer is over at once on the manual clock.
class PollingNetwork final : public Network {
 public:
  explicit PollingNetwork(fakes::ManualClock*& clock) : clock_{clock} {}
  asio::awaitable<HttpOutcome> http(HttpRequest) override { co_return HttpOutcome{}; }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest) override { co_return ConnectOutcome{}; }
  Task<std::vector<std::string>> resolve(std::string host, SteadyTime) override {
    if (host == "gone.example")
      co_return Error{Errc::unresolved, "resolve gone.example failed: not found"};
    co_return std::vector<std::string>{host};
  }
  Task<void> ready(int descriptor, Readiness what, SteadyTime deadline) override {
    const short wanted = what == Readiness::to_read    ? POLLIN
                         : what == Readiness::to_write ? POLLOUT
                                                       : POLLIN | POLLOUT;
    pollfd waits{descriptor, wanted, 0};
    if (::poll(&waits, 1, patience_ms) == 1) co_return Result<void>{};
    if (deadline > clock_->steady()) clock_->advance(deadline - clock_->steady());
    co_return Error{Errc::timed_out, "not ready"};
  }
  int patience_ms{2000};

 private:
  fakes::ManualClock*& clock_;
};

struct DnsHost {
  fakes::ManualClock* clock{nullptr};
  PollingNetwork network{clock};
  fakes::FakeHost host{&network};
  DnsHost() { clock = &host.clock; }

  /// One question to the server; the check is kept for its evidence.
  double up(const NameServer& server, std::vector<std::pair<std::string, Node>> more = {}) {
    more.emplace_back("query", word("shop.example"));
    more.emplace_back("server", word(server.place()));
    check = made(dns_check(), map_of(std::move(more)));
    samples = host.run(*check);
    EXPECT_TRUE(samples) << samples.error().detail;
    return samples ? value("up") : -1;
  }
  double value(std::string_view name) const {
    return value_of(*check, *samples, name).value_or(-1);
  }
  std::string cause() { return host.evidence(*check).probable_cause; }

  std::unique_ptr<Check> check{};
  Result<Samples> samples{Samples{}};
};

TEST(Dns, ANameIsAnsweredFor) {
  DnsHost world;
  const NameServer server{{.records = {record(5, wire_name("web.example")), record(1, address, 60),
                                       record(1, bytes({192, 0, 2, 11}))}}};
  EXPECT_EQ(world.up(server, {{"expect", word("192.0.2.10")}}), 1) << world.cause();
  EXPECT_EQ(world.value("answers"), 2) << "the alias is none of them";
  EXPECT_EQ(world.value("response_code"), 0);
  EXPECT_EQ(world.value("ttl_seconds"), 60);
  EXPECT_EQ(world.value("servers_failed"), 0);
  EXPECT_GE(world.value("seconds"), 0);
  EXPECT_THAT(world.host.evidence(*world.check).lines,
              ElementsAre(server.place() + " answered: 192.0.2.10, 192.0.2.11"));
}

TEST(Dns, WhatIsNotAsExpectedIsNamed) {
  DnsHost world;
  const NameServer server{{.records = {record(1, address)}}};
  EXPECT_EQ(world.up(server, {{"expect", list_of({"192.0.2.10", "192.0.2.99"})}}), 0);
  EXPECT_EQ(world.cause(),
            server.place() + " answered 192.0.2.10 for shop.example (A), and not 192.0.2.99");
  EXPECT_EQ(world.up(server, {{"pattern", word("^10[.]")}}), 0);
  EXPECT_THAT(world.cause(), HasSubstr("192.0.2.10 for shop.example (A), which does not match"));
  EXPECT_EQ(world.up(server, {{"pattern", word("^192[.]")}}), 1);
  EXPECT_EQ(world.up(server, {{"record", word("MX")}}), 0);
  EXPECT_EQ(world.cause(), server.place() + " knows no MX record of shop.example");
  EXPECT_EQ(world.value("answers"), 0);
}

TEST(Dns, EveryRefusalHasItsWords) {
  const std::pair<unsigned, const char*> table[] = {
      {2, " answered SERVFAIL for shop.example (A): it could not find out"},
      {3, " answered NXDOMAIN for shop.example (A): there is no such name"},
      {5, " answered REFUSED for shop.example (A): it does not serve that name"},
      {4, " answered NOTIMP for shop.example (A)"},
      {14, " answered RCODE 14 for shop.example (A)"},
  };
  for (const auto& [code, words] : table) {
    DnsHost world;
    const NameServer server{{.flags = code}};
    EXPECT_EQ(world.up(server), 0) << words;
    EXPECT_EQ(world.value("response_code"), code);
    EXPECT_THAT(world.cause(), HasSubstr(server.place() + words));
  }
}

TEST(Dns, AServerThatSaysNothingIsDownInTime) {
  DnsHost world;
  world.network.patience_ms = 50;
  const NameServer server{{.silent = true}};
  EXPECT_EQ(world.up(server), 0);
  EXPECT_THAT(world.cause(), HasSubstr("DNS question for shop.example (A): " + server.place() +
                                       ": no answer within "));
  EXPECT_EQ(world.value("response_code"), -1) << "what is not known is not told";
  EXPECT_EQ(world.value("servers_failed"), 1);
  EXPECT_LT(world.value("seconds"), 5);
}

TEST(Dns, ATruncatedAnswerIsHadOverTcp) {
  DnsHost world;
  const NameServer server{{.flags = 0x0200, .over_tcp = {record(1, address)}}};
  EXPECT_EQ(world.up(server, {{"expect", word("192.0.2.10")}}), 1) << world.cause();
  const NameServer udp_only{{.flags = 0x0200, .records = {record(1, address)}}};
  EXPECT_EQ(world.up(udp_only), 0);
  EXPECT_THAT(world.cause(), HasSubstr("the answer was truncated and could not be had whole: " +
                                       udp_only.place() + " over TCP: "));
}

TEST(Dns, RubbishIsNoAnswer) {
  DnsHost world;
  world.network.patience_ms = 50;
  const NameServer server{{.raw = "HTTP/1.1 400 Bad Request\r\n\r\n"}};
  EXPECT_EQ(world.up(server), 0) << "what does not belong to the question is not looked at";
  EXPECT_THAT(world.cause(), HasSubstr("no answer within"));
}

TEST(Dns, TheResolversOfTheHostAreAskedInTurn) {
  DnsHost world;
  world.host.root.write("/etc/resolv.conf", "search example\nnameserver 127.255.255.254\n");
  const auto check = made(dns_check(), map_of({{"query", word("shop.example")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples) << samples.error().detail;
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_THAT(world.host.evidence(*check).probable_cause, HasSubstr("127.255.255.254:53: "));
}

TEST(Dns, AServerWithoutAddressIsDown) {
  DnsHost world;
  const auto check = made(
      dns_check(), map_of({{"query", word("shop.example")}, {"server", word("gone.example:53")}}));
  const auto samples = world.host.run(*check);
  ASSERT_TRUE(samples);
  EXPECT_EQ(value_of(*check, *samples, "up"), 0);
  EXPECT_THAT(world.host.evidence(*check).probable_cause,
              HasSubstr("resolve gone.example failed: not found"));
}

TEST(Dns, WantsAName) {
  EXPECT_THAT(complaints_of(dns_check(), map_of({{"query", word("http://shop.example")}})),
              ElementsAre(HasSubstr("expected a name")));
  EXPECT_THAT(complaints_of(dns_check(), map_of({})), ElementsAre(HasSubstr("query")));
  EXPECT_THAT(
      complaints_of(dns_check(), map_of({{"query", word("2001:db8::1")}, {"record", word("PTR")}})),
      IsEmpty());
}

}  // namespace
}  // namespace tocsin
