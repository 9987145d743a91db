// Servers that are no good, under the postgres check: each costs its own check one timeout, and
// nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include <arpa/inet.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/scripted_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

/// A message of PostgreSQL's protocol: its kind, its length and what is in it.
std::string message(char kind, const std::string& body, std::uint32_t claimed = 0) {
  const auto length = htonl(claimed != 0 ? claimed : static_cast<std::uint32_t>(body.size() + 4));
  std::string text(1, kind);
  text.append(reinterpret_cast<const char*>(&length), 4);
  return text + body;
}

const std::string welcome = message('R', std::string(4, '\0')) + message('Z', "I");
const std::string begun = message('C', std::string{"BEGIN\0", 6}) + message('Z', "T");
// One column "n" of type text.
const std::string one_column =
    message('1', "") + message('2', "") +
    message('T', std::string{"\0\1n\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0", 22});
const std::string row = message('D', std::string{"\0\1\0\0\0\x8", 6} + "00000000");

void login_then(const Peer& peer, const std::string& answer_start, const std::string& repeated) {
  if (!peer.hear() || !peer.say(welcome)) return;
  if (!peer.hear() || !peer.say(begun)) return;
  if (!peer.hear() || !peer.say(answer_start)) return;
  while (peer.say(repeated)) continue;
}

std::string many(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct BadPeer {
  std::string name;
  ScriptedServer::Script script;
  std::string told;
  std::string sslmode{"disable"};
};

std::vector<BadPeer> bad_peers() {
  return {
      {"silent", [](const Peer& peer) { peer.wait(); },
       "accepted the connection and did not answer in time"},
      {"no-tls", [](const Peer& peer) { peer.wait(); }, "did not go on with TLS in time",
       "require"},
      {"half-tls",
       [](const Peer& peer) {
         if (peer.hear() && peer.say("S")) peer.wait();
       },
       "did not go on with TLS in time", "require"},
      {"drips",
       [](const Peer& peer) {
         if (!peer.hear()) return;
         // A piece of the welcome whenever the script looks around: 50 bytes a second at most.
         for (const char byte : many(welcome, 100)) {
           if (!peer.say(std::string(1, byte))) return;
           std::this_thread::sleep_for(200ms);
         }
       },
       "in time"},
      {"other", [](const Peer& peer) { peer.say("220 mail.example.com ESMTP\r\n"), peer.wait(); },
       "opening a session at "},
      {"chatty",
       [](const Peer& peer) {
         const auto notices =
             many(message('N', std::string{"SNOTICE\0C00000\0Mhello\0\0", 23}), 400);
         if (!peer.hear() || !peer.say(message('R', std::string(4, '\0')))) return;
         while (peer.say(notices)) continue;
       },
       "says more than a login takes"},
      {"rows", [](const Peer& peer) { login_then(peer, one_column, many(row, 4000)); },
       "has more than 64 rows"},
      {"giant",
       [](const Peer& peer) {
         login_then(peer, one_column + message('D', "", 1u << 30), std::string(1 << 20, 'x'));
       },
       "is larger than expected"},
      {"stops",
       [](const Peer& peer) {
         if (peer.hear() && peer.say(welcome) && peer.hear() && peer.say(begun)) peer.wait();
       },
       "took the query and did not answer in time"},
      {"cuts",
       [](const Peer& peer) {
         if (peer.hear() && peer.say(welcome)) peer.hear();
       },
       "closed the connection"},
  };
}

TEST(PostgresPeers, ThatMisbehaveCostTheirOwnCheckOneTimeout) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  Agent agent;
  const auto peers = bad_peers();
  std::string checks = "checks:\n  - {name: load, type: load, every: 200ms}\n";
  for (const auto& peer : peers) {
    servers.push_back(std::make_unique<ScriptedServer>(peer.script));
    const auto dsn = agent.folder().write(
        peer.name + ".dsn", "host=127.0.0.1 user=tocsin password=hunter2hunter2 sslmode=" +
                                peer.sslmode + " port=" + std::to_string(servers.back()->port()));
    checks += "  - {name: " + peer.name +
              ", type: postgres, every: 1s, timeout: 900ms, dsn: {file: " + dsn +
              "}, critical: up < 1, unknown: alert}\n";
  }
  agent.configure(checks);
  agent.start();
  const auto first = kilobytes(agent.program().pid(), "VmRSS:");
  for (const auto& peer : peers) {
    const auto incident = agent.wait_for_incident(peer.name, "open");
    const auto told = json::serialize(agent.incident(text_at(incident, "id")));
    EXPECT_THAT(told, HasSubstr(peer.told)) << peer.name;
    EXPECT_THAT(told, ::testing::Not(HasSubstr("hunter2"))) << peer.name;
  }
  const auto runs = [&](const std::string& name) {
    double all = 0;
    for (const auto* outcome : {"measured", "failed", "timed_out"}) {
      const auto count = agent.metric("tocsin_check_runs_total{check=\"" + name + "\",outcome=\"" +
                                      outcome + "\"}");
      if (count > 0) all += count;
    }
    return all;
  };
  EXPECT_TRUE(eventually([&] { return runs("silent") >= 5; }));
  EXPECT_GE(runs("load"), 12) << "the others keep their pace";
  EXPECT_EQ(agent.metric("tocsin_check_runs_total{check=\"silent\",outcome=\"timed_out\"}"), 0)
      << "it ended by itself, in time to say why";
  EXPECT_LT(kilobytes(agent.program().pid(), "VmHWM:") - first, 48 << 10) << "in KiB";
  const std::filesystem::directory_iterator descriptors{
      "/proc/" + std::to_string(agent.program().pid()) + "/fd"};
  EXPECT_LT(std::distance(begin(descriptors), end(descriptors)), 100);
  agent.stop();
}

}  // namespace
}  // namespace tocsin::integration
