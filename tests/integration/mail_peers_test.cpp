// Mail servers that are no good, under the email_delivery check: each costs its own check one
// timeout, and nothing else, and the page names the step that failed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/scripted_server.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

enum class Side { relay, mailbox };

struct BadPeer {
  std::string name;
  Side side;
  ScriptedServer::Script script;
  std::string told;
  std::string security{"none"};
};

/// Says each of these once the other side has said something more; then nothing.
ScriptedServer::Script in_turn(std::vector<std::string> answers) {
  return [answers = std::move(answers)](const Peer& peer) {
    for (const auto& answer : answers) {
      if (!peer.say(answer)) return;
      if (!peer.hear()) return;
    }
    peer.wait();
  };
}

/// The same, and the last of them for ever.
ScriptedServer::Script in_turn_then(std::vector<std::string> answers, std::string repeated) {
  return [answers = std::move(answers), repeated = std::move(repeated)](const Peer& peer) {
    for (const auto& answer : answers)
      if (!peer.say(answer) || !peer.hear()) return;
    while (peer.say(repeated)) continue;
  };
}

const std::string greeting{"220 mx ESMTP\r\n"};
const std::string ehlo{"250-mx\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 HELP\r\n"};
const std::string who{"334 \r\n"};
const std::string let_in{"235 2.7.0 welcome\r\n"};
const std::string imap_greeting{"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n"};
const std::string capability{
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR STARTTLS\r\nA001 OK done\r\n"};
const std::string imap_let_in{"A002 OK welcome\r\n"};
const std::string selected{"* 1 EXISTS\r\nt1 OK selected\r\n"};
const std::string found{"* SEARCH 1\r\nt2 OK done\r\n"};
const std::string dated{
    "* 1 FETCH (UID 1 INTERNALDATE \"17-Jul-2026 02:44:25 +0000\")\r\nt3 OK done\r\n"};

std::vector<BadPeer> bad_relays() {
  const auto relay = Side::relay;
  return {
      {"silent-relay", relay, in_turn({}), "did not answer in time during the greeting"},
      {"busy", relay, in_turn({"421 4.3.2 too busy\r\n"}), "421 4.3.2 too busy"},
      {"stops-at-ehlo", relay, in_turn({greeting}), "did not answer in time during EHLO"},
      {"endless-ehlo", relay, in_turn_then({greeting}, std::string(4096, '2') + "\r\n"), "EHLO"},
      {"no-starttls", relay, in_turn({greeting, "250-mx\r\n250 HELP\r\n"}), "offers no STARTTLS",
       "starttls"},
      {"half-tls", relay, in_turn({greeting, ehlo, "220 go ahead\r\n"}),
       "did not answer in time during the TLS handshake", "starttls"},
      // Whoever is refused would say goodbye, and must not wait for an answer to that.
      {"refuses-login", relay, in_turn({greeting, ehlo, "535 5.7.8 hunter2hunter2 is wrong\r\n"}),
       "does not let app in: 535 5.7.8 *** is wrong"},
      {"stops-at-login", relay, in_turn({greeting, ehlo}),
       "did not answer in time during logging in"},
      {"refuses-recipient", relay,
       in_turn({greeting, ehlo, who, let_in, "250 Ok\r\n", "550 5.1.1 who?\r\n"}),
       "refused the recipient <a@example.com>: 550 5.1.1 who?"},
      {"stops-at-data", relay,
       in_turn({greeting, ehlo, who, let_in, "250 Ok\r\n", "250 Ok\r\n", "354 go\r\n"}),
       "did not answer in time to the message"},
      {"cuts", relay,
       [](const Peer& peer) {
         if (peer.say(greeting) && peer.hear()) peer.say(ehlo.substr(0, 8));
       },
       "closed the connection"},
  };
}

std::vector<BadPeer> bad_mailboxes() {
  const auto mailbox = Side::mailbox;
  return {
      {"silent-mailbox", mailbox, in_turn({}), "did not answer in time during the greeting"},
      {"refuses-reader", mailbox,
       in_turn({imap_greeting, capability, "A002 NO [AUTHENTICATIONFAILED] no\r\n"}),
       "does not let app in: A002 NO [AUTHENTICATIONFAILED] no"},
      {"no-folder", mailbox,
       in_turn({imap_greeting, capability, imap_let_in, "t1 NO [NONEXISTENT] no such\r\n"}),
       "refused opening the folder INBOX: NO [NONEXISTENT] no such"},
      {"stops-at-search", mailbox, in_turn({imap_greeting, capability, imap_let_in, selected}),
       "did not answer in time to the search"},
      {"endless-search", mailbox,
       in_turn_then({imap_greeting, capability, imap_let_in, selected}, "* 1 EXISTS\r\n"),
       "said more than there is room for"},
      {"giant", mailbox,
       in_turn({imap_greeting, capability, imap_let_in, selected, found, dated,
                "* 1 FETCH (UID 1 BODY[HEADER] {1073741824}\r\n"}),
       "announced more than there is room for"},
      {"half-tls-mailbox", mailbox, in_turn({}), "during the TLS handshake", "tls"},
      {"says-goodbye", mailbox,
       in_turn({imap_greeting, capability, imap_let_in, "* BYE shutting down\r\n"}),
       "BYE shutting down"},
  };
}

TEST(MailPeers, ThatMisbehaveCostTheirOwnCheckOneTimeout) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  Agent agent;
  agent.folder().write("app.secret", "hunter2hunter2\n");
  auto peers = bad_relays();
  for (auto& peer : bad_mailboxes()) peers.push_back(std::move(peer));
  // The other side of each: nobody listens there.
  const auto nobody = "127.0.0.1:" + std::to_string(free_port());
  std::string checks = "checks:\n  - {name: load, type: load, every: 200ms}\n";
  for (const auto& peer : peers) {
    servers.push_back(std::make_unique<ScriptedServer>(peer.script));
    const auto bad = "{address: \"127.0.0.1:" + std::to_string(servers.back()->port()) +
                     "\", security: " + peer.security +
                     ", username: app, password: {file: app.secret}}";
    const auto good = "{address: \"" + nobody + "\", security: none}";
    checks += "  - {name: " + peer.name +
              ", type: email_delivery, every: 2s, timeout: 1800ms, to: a@example.com, smtp: " +
              (peer.side == Side::relay ? bad : good) +
              ", imap: " + (peer.side == Side::mailbox ? bad : good) +
              ", critical: up < 1, unknown: alert}\n";
  }
  agent.configure(checks);
  agent.start();
  const auto first = kilobytes(agent.program().pid(), "VmRSS:");
  for (const auto& peer : peers) {
    const auto incident = agent.wait_for_incident(peer.name, "open");
    const auto told = json::serialize(agent.incident(text_at(incident, "id")));
    EXPECT_THAT(told, HasSubstr(peer.told)) << peer.name;
    EXPECT_THAT(told, Not(HasSubstr("hunter2"))) << peer.name;
  }
  const auto runs = [&](const std::string& name, const std::string& outcome) {
    const auto count =
        agent.metric("tocsin_check_runs_total{check=\"" + name + "\",outcome=\"" + outcome + "\"}");
    return count > 0 ? count : 0;
  };
  EXPECT_TRUE(eventually([&] { return runs("silent-relay", "measured") >= 4; }));
  EXPECT_GE(runs("load", "measured"), 20) << "the others keep their pace";
  for (const auto& peer : peers)
    EXPECT_EQ(runs(peer.name, "timed_out"), 0) << peer.name << " ended by itself, to say why";
  EXPECT_LT(kilobytes(agent.program().pid(), "VmHWM:") - first, 48 << 10) << "in KiB";
  const std::filesystem::directory_iterator descriptors{
      "/proc/" + std::to_string(agent.program().pid()) + "/fd"};
  EXPECT_LT(std::distance(begin(descriptors), end(descriptors)), 120);
  agent.stop();
}

}  // namespace
}  // namespace tocsin::integration
