#include "checks/test_mail.hpp"

#include <array>
#include <ctime>
#include <utility>

namespace tocsin::checks {
namespace {

/// "Mon, 23 Nov 2026 04:28:20 +0000" (RFC 5322 §3.3). The program never sets a locale, so the names
/// are the English ones.
std::string mail_date(WallTime time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &parts);
  return {text.data(), size};
}

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? "localhost" : std::string{address.substr(at + 1)};
}

}  // namespace

OutgoingMail compose_test_mail(const TestMessage& message, std::string_view tag, std::string from,
                               std::string to, std::string_view host) {
  const std::string sender{host};
  std::string text;
  const auto line = [&](const std::string& words) { text += words + "\r\n"; };
  line("Date: " + mail_date(message.sent));
  line("From: tocsin <" + from + ">");
  line("To: <" + to + ">");
  line("Subject: tocsin test message " + std::string{tag});
  line("Message-ID: <" + message.id + "@" + domain_of(from) + ">");
  line(std::string{test_mail_header} + ": " + message.id);
  line("Auto-Submitted: auto-generated");
  line("MIME-Version: 1.0");
  line("Content-Type: text/plain; charset=utf-8");
  line("");
  line("This message measures how long mail takes from " + sender + " to this mailbox.");
  line("It was sent at " + to_rfc3339(message.sent) + " by tocsin, which looks for it here");
  line("and deletes it once it has been found. There is nothing to do.");
  return {std::move(from), std::move(to), std::move(text)};
}

}  // namespace tocsin::checks
