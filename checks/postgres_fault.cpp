#include "checks/postgres_fault.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "checks/net_samples.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t words_characters_max = 200;
constexpr std::size_t sqlstate_length = 5;

std::string one_line(std::string_view text) {
  const auto line = trim(text.substr(0, text.find('\n')));
  return cut_characters(clean_utf8(line.substr(0, 4 * words_characters_max)), words_characters_max);
}

bool is_sqlstate(std::string_view text) {
  return text.size() == sqlstate_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

/// "FATAL:  28P01: words": a severity, two blanks, the code.
std::optional<PostgresWords> server_words(std::string_view message) {
  constexpr std::string_view before{":  "};
  for (auto at = message.find(before); at != std::string_view::npos;
       at = message.find(before, at + 1)) {
    const auto rest = message.substr(at + before.size());
    if (rest.size() < sqlstate_length + 2 || rest.substr(sqlstate_length, 2) != ": ") continue;
    if (!is_sqlstate(rest.substr(0, sqlstate_length))) continue;
    return PostgresWords{std::string{rest.substr(0, sqlstate_length)},
                         one_line(rest.substr(sqlstate_length + 2))};
  }
  return std::nullopt;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](auto word) { return text.find(word) != std::string_view::npos; });
}

PostgresPhase phase_of(PostgresPhase reached, const PostgresWords& words) {
  const std::string_view state{words.sqlstate};
  if (state == "53300") return PostgresPhase::too_many_connections;
  if (state == "57P03") return PostgresPhase::starting_up;
  if (starts_with(state, "28")) return PostgresPhase::authentication;
  if (!state.empty()) return PostgresPhase::session;
  if (reached == PostgresPhase::connect || reached == PostgresPhase::tls) return reached;
  // Words of libpq's own: either this is no PostgreSQL, or what it wants is not to be had.
  if (has_any(words.message, {"expected authentication request"})) return PostgresPhase::session;
  if (has_any(words.message, {"fe_sendauth", "SCRAM", "SASL", "authentication", "password",
                              "channel binding", "GSS"}))
    return PostgresPhase::authentication;
  return PostgresPhase::session;
}

std::string sentence(PostgresPhase phase, const std::string& place, const std::string& words) {
  switch (phase) {
    case PostgresPhase::resolve:
      return "resolve " + place + " failed: " + words;
    case PostgresPhase::connect:
      return "connect to " + place + " failed: " + words;
    case PostgresPhase::tls:
      return "TLS with " + place + " failed: " + words;
    case PostgresPhase::authentication:
      return "authentication at " + place + " failed: " + words;
    case PostgresPhase::too_many_connections:
      return place + " has too many connections: " + words;
    case PostgresPhase::starting_up:
      return place + " takes no connections now: " + words;
    case PostgresPhase::session:
      return "opening a session at " + place + " failed: " + words;
    case PostgresPhase::query:
      return "the query at " + place + " failed: " + words;
  }
  return words;
}

Errc code_of(PostgresPhase phase) {
  switch (phase) {
    case PostgresPhase::resolve:
      return Errc::unresolved;
    case PostgresPhase::connect:
      return Errc::unreachable;
    case PostgresPhase::tls:
      return Errc::tls;
    case PostgresPhase::authentication:
    case PostgresPhase::too_many_connections:
    case PostgresPhase::starting_up:
    case PostgresPhase::query:
      return Errc::refused;
    case PostgresPhase::session:
      return Errc::disconnected;
  }
  return Errc::protocol;
}

}  // namespace

std::string_view to_string(PostgresPhase phase) {
  switch (phase) {
    case PostgresPhase::resolve:
      return "resolve";
    case PostgresPhase::connect:
      return "connect";
    case PostgresPhase::tls:
      return "TLS";
    case PostgresPhase::authentication:
      return "authentication";
    case PostgresPhase::too_many_connections:
      return "too many connections";
    case PostgresPhase::starting_up:
      return "starting up";
    case PostgresPhase::session:
      return "session";
    case PostgresPhase::query:
      return "query";
  }
  return "?";
}

PostgresWords connection_words(std::string_view message) {
  if (auto words = server_words(message)) return *std::move(words);
  constexpr std::string_view before{" failed: "};
  const auto last = message.rfind(before);
  auto text = last == std::string_view::npos ? message : message.substr(last + before.size());
  // "FATAL: ", where a server is too old or too broken to give a code.
  const auto words = one_line(text);
  return {{}, words.empty() ? "no reason was given" : words};
}

PostgresFault connection_fault(PostgresPhase reached, const std::string& place,
                               std::string_view message) {
  auto words = connection_words(message);
  PostgresFault fault;
  fault.phase = phase_of(reached, words);
  fault.sqlstate = words.sqlstate;
  // This host has no descriptor or no memory left: that says nothing of the server.
  const bool ours = words.sqlstate.empty() &&
                    has_any(words.message, {"could not create socket", "out of memory"});
  if (!words.sqlstate.empty()) words.message += " (" + words.sqlstate + ")";
  fault.error = {ours ? Errc::internal : code_of(fault.phase),
                 sentence(fault.phase, place, words.message)};
  if (!ours && fault.phase == PostgresPhase::session && !fault.sqlstate.empty())
    fault.error.code = Errc::refused;
  return fault;
}

PostgresFault query_fault(const std::string& place, std::string_view sqlstate,
                          std::string_view message) {
  PostgresFault fault{PostgresPhase::query, std::string{sqlstate}, {}};
  auto words = one_line(message);
  if (words.empty()) words = "no reason was given";
  if (!sqlstate.empty()) words += " (" + fault.sqlstate + ")";
  fault.error = {sqlstate.empty() ? Errc::disconnected : Errc::refused,
                 sentence(PostgresPhase::query, place, words)};
  return fault;
}

PostgresFault silence_fault(PostgresPhase phase, const std::string& place) {
  std::string words;
  switch (phase) {
    case PostgresPhase::resolve:
    case PostgresPhase::connect:
      words = sentence(phase, place, "no answer in time");
      break;
    case PostgresPhase::tls:
      words = place + " accepted the connection and did not go on with TLS in time";
      break;
    case PostgresPhase::authentication:
      words = place + " accepted the connection and did not answer in time";
      break;
    case PostgresPhase::too_many_connections:
    case PostgresPhase::starting_up:
    case PostgresPhase::session:
      words = place + " did not open the session in time";
      break;
    case PostgresPhase::query:
      words = place + " took the query and did not answer in time";
      break;
  }
  return {phase, {}, {Errc::timed_out, std::move(words)}};
}

bool blames_server(const PostgresFault& fault) {
  const auto code = fault.error.code;
  if (says_nothing_of_peer(fault.error)) return false;
  if (fault.phase != PostgresPhase::query) return true;
  static constexpr std::array<std::string_view, 4> classes{"57P", "53", "58", "XX"};
  return code == Errc::timed_out || code == Errc::disconnected ||
         std::any_of(classes.begin(), classes.end(),
                     [&](auto each) { return starts_with(fault.sqlstate, each); });
}

}  // namespace tocsin::checks
