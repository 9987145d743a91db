#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "checks/net_samples.hpp"
#include "tocsin/check/check.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin {
namespace checks {

/// How a conversation with a mail server is encrypted.
enum class MailSecurity {
  starttls,  ///< It begins in the clear, and is not gone on with unless the server then encrypts.
  tls,       ///< From the first byte.
  none,
};

/// What the relay and the mailbox have in common.
struct MailServer {
  std::optional<HostPort> address{};
  MailSecurity security{MailSecurity::starttls};
  std::string username{};
  Secret password{};
  TlsParams tls{};
  static constexpr auto fields() {
    using Self = MailServer;
    return std::tuple{
        required_field("address", &Self::address, "Where it listens: HOST:PORT."),
        field("security", &Self::security,
              "starttls: encrypted once the greetings are over; tls: from the start; none."),
        field("username", &Self::username, "Whom to log in as; empty: nobody."),
        field("password", &Self::password, "The user's password."),
        field("tls", &Self::tls, "How its certificate is judged.")};
  }
  friend bool operator==(const MailServer&, const MailServer&) = default;
};

/// The relay that takes the test messages.
struct SmtpServer : MailServer {};

/// The mailbox that they end up in.
struct ImapServer : MailServer {
  ImapServer() { security = MailSecurity::tls; }
  std::string folder{"INBOX"};
  static constexpr auto fields() {
    return std::tuple_cat(
        MailServer::fields(),
        std::tuple{field("folder", &ImapServer::folder, "The folder that they come into.")});
  }
  friend bool operator==(const ImapServer&, const ImapServer&) = default;
};

/// Complains of what the fields cannot see.
void judge_mail_server(const MailServer& server, const Node& map, Decoding& decoding);

}  // namespace checks

template <>
struct EnumWords<checks::MailSecurity> {
  static std::span<const std::pair<checks::MailSecurity, std::string_view>> names() {
    static constexpr std::array<std::pair<checks::MailSecurity, std::string_view>, 3> words{
        {{checks::MailSecurity::starttls, "starttls"},
         {checks::MailSecurity::tls, "tls"},
         {checks::MailSecurity::none, "none"}}};
    return words;
  }
};

}  // namespace tocsin
