// Servers that are no good, under the mysql check: each costs its own check one timeout, and
// nothing else. TLS that never ends is among them: the client library alone would hold up the whole
// agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/scripted_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string little_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}

/// A packet of MySQL's protocol. `claimed`: a length that it does not have.
std::string packet(int sequence, const std::string& body, std::uint32_t claimed = 0) {
  return little_endian(claimed != 0 ? claimed : static_cast<std::uint32_t>(body.size()), 3) +
         static_cast<char>(sequence) + body;
}

/// The first packet of MySQL 8, protocol 4.1 without the newer ways to end a result.
std::string greeting(bool tls = false) {
  const std::uint32_t capabilities = 0x0008'a20f | (tls ? 0x800u : 0u);
  std::string body{
      "\x0a"
      "8.0.36"};
  body += '\0' + little_endian(7, 4) + "12345678" + '\0' + little_endian(capabilities, 2) + '\x21' +
          little_endian(2, 2) + little_endian(capabilities >> 16, 2) + '\x15' +
          std::string(10, '\0') + "123456789012" + '\0' + "mysql_native_password" + '\0';
  return packet(0, body);
}

std::string okay(int sequence) { return packet(sequence, std::string{"\0\0\0\2\0\0\0", 7}); }

std::string end_of_columns(int sequence) {
  return packet(sequence, std::string{"\xfe\0\0\2\0", 5});
}

/// The head of a result with one column "n".
std::string one_column() {
  return packet(1, "\1") +
         packet(2, std::string{"\3def\0\0\0\1n\0\x0c\x21\0\0\1\0\0\xfd\0\0\0\0\0", 23}) +
         end_of_columns(3);
}

std::string many(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// Lets anybody in; returns whether a statement came then.
bool let_in(const Peer& peer) {
  return peer.say(greeting()) && peer.hear() && peer.say(okay(2)) && peer.hear();
}

struct BadPeer {
  std::string name;
  ScriptedServer::Script script;
  std::string told;
  std::string keys{};
};

void drip(const Peer& peer) {
  for (const char byte : greeting())
    if (!peer.say(std::string(1, byte)) || peer.hear_within(200ms)) return;
}

void flood_with(const Peer& peer, const std::string& repeated) {
  if (!let_in(peer) || !peer.say(one_column())) return;
  while (peer.say(repeated)) continue;
}

std::vector<BadPeer> bad_peers() {
  const std::string tls{"?ssl-mode=required"};
  return {
      {"silent", [](const Peer& peer) { peer.wait(); },
       "accepted the connection and did not finish its greeting in time"},
      {"drips", drip, "did not finish its greeting in time"},
      {"hangs-up", [](const Peer&) {}, "closed the connection before its greeting"},
      {"other", [](const Peer& peer) { peer.say("220 mail.example.com ESMTP\r\n"), peer.wait(); },
       "greet"},
      {"tls-silent",
       [](const Peer& peer) {
         if (peer.say(greeting(true))) peer.wait();
       },
       "failed: the handshake did not end in time", tls},
      {"tls-none", [](const Peer& peer) { peer.say(greeting()), peer.wait(); },
       "failed: the server does not offer it", tls},
      {"tls-garbage",
       [](const Peer& peer) {
         if (peer.say(greeting(true)) && peer.hear()) peer.say(std::string(600, 'x')), peer.wait();
       },
       "TLS with ", tls},
      {"undecided",
       [](const Peer& peer) {
         if (peer.say(greeting())) peer.wait();
       },
       "failed: no verdict in time"},
      {"mute",
       [](const Peer& peer) {
         if (let_in(peer)) peer.wait();
       },
       "a query at 127.0.0.1"},
      {"rows", [](const Peer& peer) { flood_with(peer, many(packet(4, "\1x"), 4000)); },
       "answered with more than 100 rows"},
      {"giant",
       [](const Peer& peer) {
         if (let_in(peer) && peer.say(one_column() + packet(4, "", 0xfffffe)))
           while (peer.say(std::string(1 << 20, 'x'))) continue;
       },
       "a query at 127.0.0.1"},
      {"columns",
       [](const Peer& peer) {
         if (!let_in(peer) || !peer.say(packet(1, std::string{"\xfd\xff\xff\xff", 4}))) return;
         const auto column =
             packet(2, std::string{"\3def\0\0\0\1n\0\x0c\x21\0\0\1\0\0\xfd\0\0\0\0\0", 23});
         while (peer.say(many(column, 1000))) continue;
       },
       "sent more than"},
      {"cuts", [](const Peer& peer) { let_in(peer); }, "a query at 127.0.0.1"},
  };
}

class MysqlPeers : public ::testing::Test {
 protected:
  double runs(const std::string& name) const {
    double all = 0;
    for (const auto* outcome : {"measured", "failed", "timed_out"}) {
      const auto count = agent_.metric("tocsin_check_runs_total{check=\"" + name + "\",outcome=\"" +
                                       outcome + "\"}");
      if (count > 0) all += count;
    }
    return all;
  }
  std::ptrdiff_t descriptors() {
    const std::filesystem::directory_iterator all{"/proc/" +
                                                  std::to_string(agent_.program().pid()) + "/fd"};
    return std::distance(begin(all), end(all));
  }
  Agent agent_;
};

TEST_F(MysqlPeers, ThatMisbehaveCostTheirOwnCheckOneTimeout) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  const auto peers = bad_peers();
  std::string checks = "checks:\n  - {name: load, type: load, every: 200ms}\n";
  for (const auto& peer : peers) {
    servers.push_back(std::make_unique<ScriptedServer>(peer.script));
    const auto dsn = agent_.folder().write(
        peer.name + ".dsn", "mysql://tocsin:hunter2hunter2@127.0.0.1:" +
                                std::to_string(servers.back()->port()) + "/" + peer.keys);
    checks += "  - {name: " + peer.name +
              ", type: mysql, every: 1s, timeout: 900ms, dsn: {file: " + dsn +
              "}, critical: up < 1, unknown: alert}\n";
  }
  agent_.configure(checks);
  agent_.start();
  const auto first = kilobytes(agent_.program().pid(), "VmRSS:");
  for (const auto& peer : peers) {
    const auto incident = agent_.wait_for_incident(peer.name, "open");
    const auto told = json::serialize(agent_.incident(text_at(incident, "id")));
    EXPECT_THAT(told, HasSubstr(peer.told)) << peer.name;
    EXPECT_THAT(told, HasSubstr("up 0 < 1")) << peer.name;
    EXPECT_THAT(told, Not(HasSubstr("hunter2"))) << peer.name;
  }
  const auto began = runs("load");
  const auto since = steady_now();
  const auto before = runs("tls-silent");
  EXPECT_TRUE(eventually([&] { return runs("tls-silent") >= before + 5; }));
  const std::chrono::duration<double> took = steady_now() - since;
  EXPECT_GE(runs("load") - began, took.count() * 5 * 0.8) << "the others keep their pace";
  for (const auto& peer : peers)
    EXPECT_EQ(
        agent_.metric("tocsin_check_runs_total{check=\"" + peer.name + "\",outcome=\"timed_out\"}"),
        0)
        << peer.name << ": it ended by itself, in time to say why";
  EXPECT_LT(kilobytes(agent_.program().pid(), "VmHWM:") - first, 48 << 10) << "in KiB";
  EXPECT_LT(descriptors(), 100);
  agent_.stop();
}

}  // namespace
}  // namespace tocsin::integration
