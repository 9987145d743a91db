#include "checks/starttls.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/clear_hearing.hpp"
#include "checks/ldap_answer.hpp"
#include "checks/net_samples.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

using namespace std::string_literals;

/// What we call ourselves in EHLO: a whole name, as some servers insist on, that can be nobody's
/// (RFC 2606).
constexpr std::string_view own_name = "tocsin.invalid";

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Whether the text begins with these words, in any case, as whole words.
bool begins(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return upper(a) == upper(b); };
  return text.size() >= words.size() &&
         std::equal(words.begin(), words.end(), text.begin(), same) &&
         (text.size() == words.size() || text[words.size()] == ' ');
}

Error refusal(const ClearHearing& hearing, std::string_view what, std::string_view said) {
  return {Errc::refused,
          hearing.peer() + " refuses " + std::string{what} + ": " + answer_words(said)};
}

Error bad_greeting(const ClearHearing& hearing, std::string_view said) {
  return {Errc::refused, hearing.peer() + " greets with " + answer_words(said)};
}

// Replies of three digits, as SMTP and FTP have them.

using Reply = std::vector<std::string>;  ///< Its lines, at least one.

bool has_code(std::string_view line) {
  return line.size() >= 3 &&
         std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; }) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

bool is_last(std::string_view line, std::string_view code) {
  return has_code(line) && line.substr(0, 3) == code && (line.size() == 3 || line[3] == ' ');
}

Task<Reply> hear_reply(ClearHearing& hearing) {
  Reply reply;
  do {
    auto hearing_line = hearing.line();
    auto line = co_await std::move(hearing_line);
    if (!line) co_return line.error();
    if (reply.empty() && !has_code(*line)) co_return hearing.stranger(*line);
    reply.push_back(*std::move(line));
  } while (!is_last(reply.back(), reply.front().substr(0, 3)));
  co_return reply;
}

/// Says the command and hears its reply, which must have this code. No command: the greeting.
Task<Reply> expect(ClearHearing& hearing, std::string command, std::string_view code) {
  if (!command.empty()) {
    auto saying = hearing.say(command + "\r\n", command);
    const auto said = co_await std::move(saying);
    if (!said) co_return said.error();
  }
  auto replying = hear_reply(hearing);
  auto reply = co_await std::move(replying);
  if (!reply) co_return reply.error();
  if (reply->front().substr(0, 3) == code) co_return reply;
  if (command.empty()) co_return bad_greeting(hearing, reply->front());
  co_return refusal(hearing, command, reply->front());
}

Task<std::string> speak_smtp(Conversation& peer, std::string protocol, std::string hello) {
  ClearHearing hearing{peer, std::move(protocol)};
  auto greeting = expect(hearing, "", "220");
  const auto greeted = co_await std::move(greeting);
  if (!greeted) co_return greeted.error();
  auto asking = expect(hearing, hello + " " + std::string{own_name}, "250");
  const auto offers = co_await std::move(asking);
  if (!offers) co_return offers.error();
  const auto is_it = [](const std::string& line) {
    return line.size() > 4 && begins(std::string_view{line}.substr(4), "STARTTLS");
  };
  if (std::none_of(offers->begin(), offers->end(), is_it))
    co_return Error{Errc::unsupported, hearing.peer() + " offers no STARTTLS"};
  auto starting = expect(hearing, "STARTTLS", "220");
  const auto started = co_await std::move(starting);
  if (!started) co_return started.error();
  co_return hearing.beyond();
}

Task<std::string> speak_ftp(Conversation& peer) {
  ClearHearing hearing{peer, "FTP"};
  auto greeting = expect(hearing, "", "220");
  const auto greeted = co_await std::move(greeting);
  if (!greeted) co_return greeted.error();
  auto asking = expect(hearing, "AUTH TLS", "234");
  const auto agreed = co_await std::move(asking);
  if (!agreed) co_return agreed.error();
  co_return hearing.beyond();
}

Task<std::string> speak_pop3(Conversation& peer) {
  ClearHearing hearing{peer, "POP3"};
  auto greeting = hearing.line();
  const auto greeted = co_await std::move(greeting);
  if (!greeted) co_return greeted.error();
  if (begins(*greeted, "-ERR")) co_return bad_greeting(hearing, *greeted);
  if (!begins(*greeted, "+OK")) co_return hearing.stranger(*greeted);
  auto asking = hearing.say("STLS\r\n", "STLS");
  const auto asked = co_await std::move(asking);
  if (!asked) co_return asked.error();
  auto answering = hearing.line();
  const auto answer = co_await std::move(answering);
  if (!answer) co_return answer.error();
  if (!begins(*answer, "+OK")) co_return refusal(hearing, "STLS", *answer);
  co_return hearing.beyond();
}

/// Says an IMAP command under its tag and hears what the server says until it is done.
Task<Reply> ask_imap(ClearHearing& hearing, std::string tag, std::string command) {
  auto saying = hearing.say(tag + " " + command + "\r\n", command);
  const auto said = co_await std::move(saying);
  if (!said) co_return said.error();
  Reply reply;
  for (;;) {
    auto hearing_line = hearing.line();
    auto line = co_await std::move(hearing_line);
    if (!line) co_return line.error();
    if (begins(*line, "* BYE")) co_return refusal(hearing, command, *line);
    if (begins(*line, tag + " OK")) co_return reply;
    if (begins(*line, tag)) co_return refusal(hearing, command, line->substr(tag.size()));
    reply.push_back(*std::move(line));
  }
}

bool offers_starttls(const std::string& line) {
  if (!begins(line, "* CAPABILITY")) return false;
  const auto words = split(line, ' ');
  return std::any_of(words.begin(), words.end(),
                     [](auto word) { return begins(word, "STARTTLS"); });
}

Task<std::string> speak_imap(Conversation& peer) {
  ClearHearing hearing{peer, "IMAP"};
  auto greeting = hearing.line();
  const auto greeted = co_await std::move(greeting);
  if (!greeted) co_return greeted.error();
  if (begins(*greeted, "* PREAUTH"))
    co_return Error{Errc::refused, hearing.peer() +
                                       " takes us for logged in already, where STARTTLS is not to "
                                       "be had: " +
                                       answer_words(*greeted)};
  if (begins(*greeted, "* BYE")) co_return bad_greeting(hearing, *greeted);
  if (!begins(*greeted, "* OK")) co_return hearing.stranger(*greeted);
  auto asking = ask_imap(hearing, "t1", "CAPABILITY");
  const auto offers = co_await std::move(asking);
  if (!offers) co_return offers.error();
  if (std::none_of(offers->begin(), offers->end(), offers_starttls))
    co_return Error{Errc::unsupported, hearing.peer() + " offers no STARTTLS"};
  auto starting = ask_imap(hearing, "t2", "STARTTLS");
  const auto started = co_await std::move(starting);
  if (!started) co_return started.error();
  co_return hearing.beyond();
}

Task<std::string> speak_ldap(Conversation& peer) {
  // LDAPMessage 1 with an extendedReq of this name.
  static const auto request = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + "1.3.6.1.4.1.1466.20037"s;
  ClearHearing hearing{peer, "LDAP"};
  auto asking = hearing.say(request, "StartTLS");
  const auto asked = co_await std::move(asking);
  if (!asked) co_return asked.error();
  std::string message;
  std::optional<std::size_t> size;
  while (!size || message.size() < *size) {
    auto next = hearing.bytes(size ? *size - message.size() : 1);
    const auto bytes = co_await std::move(next);
    if (!bytes) co_return bytes.error();
    message += *bytes;
    const auto told = ldap_message_size(message);
    if (!told) co_return hearing.stranger(message + hearing.beyond());
    size = *told;
  }
  const auto answer = parse_ldap_answer(message);
  if (!answer) co_return hearing.stranger(message);
  if (answer->code != 0)
    co_return refusal(hearing, "StartTLS",
                      "result code " + std::to_string(answer->code) + " " + answer->words);
  co_return hearing.beyond();
}

Task<std::string> speak_postgres(Conversation& peer) {
  // Length 8, then the number 80877103 in the place of a version.
  static const auto request = "\x00\x00\x00\x08\x04\xd2\x16\x2f"s;
  ClearHearing hearing{peer, "PostgreSQL"};
  auto asking = hearing.say(request, "SSLRequest");
  const auto asked = co_await std::move(asking);
  if (!asked) co_return asked.error();
  auto answering = hearing.bytes(1);
  const auto answer = co_await std::move(answering);
  if (!answer) co_return answer.error();
  if (*answer == "S") co_return hearing.beyond();
  if (*answer == "N")
    co_return Error{Errc::unsupported, hearing.peer() + " offers no TLS (PostgreSQL's ssl is off)"};
  if (*answer == "E") co_return refusal(hearing, "SSLRequest", hearing.beyond());
  co_return hearing.stranger(*answer + hearing.beyond());
}

}  // namespace

BeforeTls ask_for_tls(StartTls protocol) {
  switch (protocol) {
    case StartTls::smtp:
      return [](Conversation& peer) { return speak_smtp(peer, "SMTP", "EHLO"); };
    case StartTls::lmtp:
      return [](Conversation& peer) { return speak_smtp(peer, "LMTP", "LHLO"); };
    case StartTls::imap:
      return speak_imap;
    case StartTls::pop3:
      return speak_pop3;
    case StartTls::ftp:
      return speak_ftp;
    case StartTls::ldap:
      return speak_ldap;
    case StartTls::postgres:
      return speak_postgres;
  }
  return {};
}

}  // namespace tocsin::checks
