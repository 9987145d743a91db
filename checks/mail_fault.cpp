#include "checks/mail_fault.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "checks/redaction.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t reply_characters = 200;

/// What libcurl says until it is logged in.
constexpr std::array<std::string_view, 7> commands{"EHLO",       "HELO",         "STARTTLS", "AUTH",
                                                   "CAPABILITY", "AUTHENTICATE", "LOGIN"};

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find_first_of(" \r\n"));
}

/// What the server was doing, or should have done, when it ended.
std::string during(const MailServer& server, const MailTrace& trace, const MailEnd& end) {
  if (!end.connected) return "connecting";
  const bool first_tls = server.security == MailSecurity::tls;
  const bool then_tls = trace.command() == "STARTTLS" && !trace.reply().empty();
  if (!end.secured && (first_tls || then_tls)) return "the TLS handshake";
  if (trace.is_authenticating()) return "logging in";
  if (trace.command().empty()) return "the greeting";
  return trace.command();
}

std::string quoted_reply(const MailTrace& trace) {
  return trace.reply().empty() ? std::string{} : ": " + trace.reply();
}

}  // namespace

void MailTrace::said(std::string_view line) {
  auto word = first_word(line);
  // IMAP's commands have a tag before them.
  if (protocol_ == MailProtocol::imap && word.size() < line.size())
    word = first_word(line.substr(word.size() + 1));
  if (std::ranges::find(commands, word) == commands.end()) return;
  command_ = std::string{word};
  reply_.clear();
}

void MailTrace::heard(std::string_view line) {
  reply_ = cut_characters(clean_utf8(trim(line.substr(0, 4 * reply_characters))), reply_characters);
  std::ranges::replace(reply_, '\n', ' ');
}

bool MailTrace::is_authenticating() const {
  return command_ == "AUTH" || command_ == "AUTHENTICATE" || command_ == "LOGIN";
}

MailEnd::Kind mail_end_of(int code) {
  using Kind = MailEnd::Kind;
  switch (code) {  // Not a closed set of ours: libcurl may know more.
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::timed_out;
    case CURLE_COULDNT_CONNECT:
      return Kind::unreachable;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return Kind::tls;
    case CURLE_SSL_CACERT_BADFILE:
      return Kind::bad_ca_file;
    case CURLE_USE_SSL_FAILED:
      return Kind::no_starttls;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
      return Kind::refused;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return Kind::disconnected;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_REMOTE_ACCESS_DENIED:
      return Kind::protocol;
    default:
      return Kind::internal;
  }
}

Error mail_fault(const MailServer& server, const MailTrace& trace, const MailEnd& end) {
  const auto place = to_string(*server.address);
  const auto because = end.words.empty() ? std::string{} : ": " + end.words;
  switch (end.kind) {
    case MailEnd::Kind::timed_out:
      return {Errc::timed_out,
              end.connected ? place + " did not answer in time during " + during(server, trace, end)
                            : "connect to " + place + " timed out"};
    case MailEnd::Kind::unreachable:
      return {Errc::unreachable, "connect to " + place + " failed" + because};
    case MailEnd::Kind::tls:
      return {Errc::tls, "the TLS handshake with " + place + " failed" + because};
    case MailEnd::Kind::no_starttls:
      return {Errc::tls, place + " offers no STARTTLS" +
                             (trace.command() == "STARTTLS" ? quoted_reply(trace) : "")};
    case MailEnd::Kind::bad_ca_file:
      return {Errc::unreadable, "the authorities to trust cannot be read" + because};
    case MailEnd::Kind::refused:
      if (trace.is_authenticating())
        return {Errc::refused,
                place + " does not let " + server.username + " in" + quoted_reply(trace)};
      return {Errc::refused, place +
                                 " offers no way to log in that is known here (PLAIN, LOGIN, "
                                 "CRAM-MD5)"};
    case MailEnd::Kind::disconnected:
      return {Errc::disconnected, place + " closed the connection during " +
                                      during(server, trace, end) + quoted_reply(trace)};
    case MailEnd::Kind::protocol:
      return {Errc::protocol, place + " answered " + during(server, trace, end) +
                                  " with what does not let us go on" +
                                  (trace.reply().empty() ? because : quoted_reply(trace))};
    case MailEnd::Kind::internal:
      return {Errc::internal, "libcurl failed" + because};
  }
  return {Errc::internal, "libcurl failed" + because};
}

}  // namespace tocsin::checks
