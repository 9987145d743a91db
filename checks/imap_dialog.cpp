#include "checks/imap_dialog.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "checks/imap_reply.hpp"
#include "checks/received_headers.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t reply_characters = 200;

/// A quoted string (RFC 3501 §4.3).
std::string quoted(std::string_view text) {
  std::string out{"\""};
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// The count of a literal that a line announces at its end, as in "BODY[HEADER] {342}".
std::optional<std::size_t> announced(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  const auto digits = line.substr(open + 1, line.size() - open - 2);
  std::size_t count = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return count;
}

}  // namespace

/// Says it and takes all that comes until the line that has our tag.
Task<ImapDialog::Answer> ImapDialog::ask(std::string command, std::string what) {
  const auto tag = "t" + std::to_string(++commands_);
  auto saying = talk_.say(tag + " " + std::move(command) + "\r\n");
  const auto said = co_await std::move(saying);
  if (!said) co_return said.error();
  Answer answer;
  for (;;) {
    auto hearing = talk_.hear_line();
    const auto line = co_await std::move(hearing);
    if (!line && line.error().code == Errc::timed_out)
      co_return Error{Errc::timed_out, talk_.peer() + " did not answer in time to " + what};
    if (!line && line.error().code == Errc::disconnected)
      co_return Error{Errc::disconnected, talk_.peer() + " closed the connection at " + what};
    if (!line) co_return line.error();
    if (line->starts_with(tag + " ")) {
      if (line->compare(tag.size() + 1, 3, "OK ") == 0 || *line == tag + " OK") co_return answer;
      co_return Error{Errc::refused, talk_.peer() + " refused " + what + ": " +
                                         cut_characters(clean_utf8(line->substr(tag.size() + 1)),
                                                        reply_characters)};
    }
    if (line->starts_with("* BYE"))
      co_return Error{Errc::disconnected,
                      talk_.peer() + " ended the session at " + what + ": " +
                          cut_characters(clean_utf8(line->substr(2)), reply_characters)};
    const auto count = announced(*line);
    // What is in a literal is kept apart, and the line says that there is nothing in it.
    answer.lines += (count ? line->substr(0, line->rfind('{')) + "{0}" : *line) + "\r\n";
    if (count) {
      auto taking = talk_.hear_bytes(*count);
      auto literal = co_await std::move(taking);
      if (!literal) co_return literal.error();
      answer.literals.push_back(*std::move(literal));
    }
  }
}

Task<std::string> ImapDialog::select(std::string folder) {
  auto asking = ask("SELECT " + quoted(folder), "opening the folder " + folder);
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return std::move(answer->lines);
}

Task<std::string> ImapDialog::search_subject(std::string word) {
  auto asking = ask("UID SEARCH UNDELETED SUBJECT " + quoted(word), "the search");
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return std::move(answer->lines);
}

Task<std::string> ImapDialog::fetch_dates(std::span<const std::uint32_t> uids) {
  auto asking =
      ask("UID FETCH " + imap_uid_set(uids) + " (UID INTERNALDATE)", "when the messages came");
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return std::move(answer->lines);
}

Task<std::string> ImapDialog::fetch_header(std::uint32_t uid) {
  // The partial form bounds what a huge header brings (RFC 3501 §6.4.5).
  auto asking = ask("UID FETCH " + std::to_string(uid) + " (BODY.PEEK[HEADER]<0." +
                        std::to_string(mail_header_bytes) + ">)",
                    "the headers of a message");
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (answer->literals.empty()) co_return std::string{};
  co_return std::move(answer->literals.front());
}

Task<void> ImapDialog::remove(std::span<const std::uint32_t> uids) {
  const auto set = imap_uid_set(uids);
  auto marking = ask("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)", "deleting the messages");
  const auto marked = co_await std::move(marking);
  if (!marked) co_return marked.error();
  // Without UIDPLUS only the whole folder could be expunged, and others' messages with it: then
  // they stay, marked, and are not found again.
  auto expunging = ask("UID EXPUNGE " + set, "expunging the messages");
  const auto expunged = co_await std::move(expunging);
  if (!expunged && expunged.error().code != Errc::refused) co_return expunged.error();
  co_return Result<void>{};
}

Task<void> ImapDialog::leave() { return talk_.say("t0 LOGOUT\r\n"); }

}  // namespace tocsin::checks
