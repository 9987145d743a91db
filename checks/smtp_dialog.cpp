#include "checks/smtp_dialog.hpp"

#include <cctype>
#include <utility>

#include "checks/line_talk.hpp"
#include "checks/net_samples.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t reply_lines_max = 100;

struct Reply {
  int code{0};
  std::string text{};  ///< Of its last line.
};

/// A reply is lines of "250-text", ended by one of "250 text" (RFC 5321 §4.2.1).
Task<Reply> hear_reply(LineTalk& talk) {
  for (std::size_t lines = 0; lines < reply_lines_max; ++lines) {
    auto hearing = talk.hear_line();
    const auto line = co_await std::move(hearing);
    if (!line) co_return line.error();
    const auto is_digit = [&](std::size_t at) {
      return at < line->size() && std::isdigit(static_cast<unsigned char>((*line)[at])) != 0;
    };
    const bool goes_on = line->size() > 3 && (*line)[3] == '-';
    if (!is_digit(0) || !is_digit(1) || !is_digit(2) ||
        (line->size() > 3 && !goes_on && (*line)[3] != ' '))
      co_return Error{Errc::protocol,
                      talk.peer() + " does not speak SMTP: it answered " + quoted_answer(*line)};
    if (goes_on) continue;
    co_return Reply{std::stoi(line->substr(0, 3)), line->size() > 4 ? line->substr(4) : ""};
  }
  co_return Error{Errc::too_large, talk.peer() + " gave an answer that does not end"};
}

/// Says it, and expects an answer of that hundred.
Task<std::string> ask(LineTalk& talk, std::string text, int hundred, const std::string& what) {
  auto saying = talk.say(std::move(text));
  const auto said = co_await std::move(saying);
  if (!said) co_return said.error();
  auto hearing = hear_reply(talk);
  auto reply = co_await std::move(hearing);
  if (!reply && reply.error().code == Errc::timed_out)
    co_return Error{Errc::timed_out, talk.peer() + " did not answer in time to " + what};
  if (!reply && reply.error().code == Errc::disconnected)
    co_return Error{Errc::disconnected, talk.peer() + " closed the connection at " + what};
  if (!reply) co_return reply.error();
  if (reply->code / 100 == hundred) co_return std::move(reply->text);
  co_return Error{Errc::refused, talk.peer() + " refused " + what + ": " +
                                     std::to_string(reply->code) + " " +
                                     cut_characters(clean_utf8(reply->text), 200)};
}

/// A line that begins with a dot gets another, and a dot alone ends it (RFC 5321 §4.5.2).
std::string stuffed(const std::string& content) {
  std::string text;
  text.reserve(content.size() + 16);
  bool at_start = true;
  for (const char c : content) {
    if (at_start && c == '.') text += '.';
    text += c;
    at_start = c == '\n';
  }
  if (!text.ends_with("\r\n")) text += "\r\n";
  return text + ".\r\n";
}

}  // namespace

Task<std::string> hand_over(Conversation& relay, const OutgoingMail& mail) {
  LineTalk talk{relay, smtp_bytes_max};
  const std::string sender{"the sender <" + mail.from + ">"};
  auto from = ask(talk, "MAIL FROM:<" + mail.from + ">\r\n", 2, sender);
  auto answer = co_await std::move(from);
  if (!answer) co_return answer;
  const std::string recipient{"the recipient <" + mail.to + ">"};
  auto to = ask(talk, "RCPT TO:<" + mail.to + ">\r\n", 2, recipient);
  answer = co_await std::move(to);
  if (!answer) co_return answer;
  const std::string message{"the message"};
  auto data = ask(talk, "DATA\r\n", 3, message);
  answer = co_await std::move(data);
  if (!answer) co_return answer;
  auto content = ask(talk, stuffed(mail.content), 2, message);
  answer = co_await std::move(content);
  if (!answer) co_return answer;
  // It has the message: what becomes of the goodbye does not matter.
  auto leaving = talk.say("QUIT\r\n");
  (void)co_await std::move(leaving);
  co_return answer;
}

}  // namespace tocsin::checks
