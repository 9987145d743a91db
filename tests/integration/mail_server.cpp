#include "tests/integration/mail_server.hpp"

#include <ctime>
#include <stdexcept>

#include "tests/unit/net/certificates.hpp"

namespace tocsin::integration {
namespace {

constexpr auto day = std::chrono::hours{24};
constexpr int attempts = 5;  // Somebody else may take a port between asking for it and using it.

/// A service that takes mail from those who log in. `options` are words for master.cf.
std::string entrance(int port, const std::string& options) {
  return "127.0.0.1:" + std::to_string(port) + " inet n - n - - smtpd" + options;
}

}  // namespace

std::string MailServer::missing() {
  const auto postfix = Postfix::missing();
  return postfix.empty() ? Dovecot::missing() : postfix;
}

MailServer::MailServer() {
  make_certificates();
  dovecot_ = std::make_unique<Dovecot>(
      Dovecot::Certificate{.chain = folder_ / "server.pem", .key = folder_ / "server.key"});
  dovecot_->set_password(std::string{sender}, sender_password_);
  dovecot_->set_password(std::string{reader}, reader_password_);
  dovecot_->start();
  for (int attempt = 1;; ++attempt) {
    make_postfix();
    try {
      start_postfix();
      return;
    } catch (const std::exception&) {
      if (attempt == attempts) throw;
    }
  }
}

void MailServer::make_certificates() const {
  using net::testing::Identity;
  const WallTime now{std::chrono::floor<std::chrono::seconds>(
      WallTime::clock::time_point{std::chrono::seconds{::time(nullptr)}})};
  const auto authority = [&](const std::string& subject) {
    return Identity{
        {.subject = subject, .from = now - 90 * day, .until = now + 900 * day, .authority = true}};
  };
  const auto ours = authority("Mail CA");
  const Identity leaf{{.subject = std::string{name},
                       .names = "DNS:" + std::string{name} + ",IP:127.0.0.1",
                       .from = now - day,
                       .until = now + 60 * day},
                      &ours};
  folder_.write("authority.pem", ours.certificate_pem());
  folder_.write("stranger.pem", authority("Another CA").certificate_pem());
  folder_.write("server.key", leaf.key_pem());
  folder_.write("server.pem", leaf.certificate_pem() + ours.certificate_pem());
}

void MailServer::make_postfix() {
  for (auto* port : {&submission_port_, &submissions_port_, &bare_port_}) *port = free_port();
  const std::string no_tls{" -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no"};
  postfix_ = std::make_unique<Postfix>(
      std::vector<std::string>{
          "virtual_mailbox_domains = mailbox.test", "virtual_mailbox_maps = static:all",
          "virtual_transport = lmtp:unix:" + dovecot_->delivery_socket(),
          "smtpd_tls_cert_file = " + (folder_ / "server.pem"),
          "smtpd_tls_key_file = " + (folder_ / "server.key"), "smtpd_tls_security_level = encrypt",
          "smtpd_tls_auth_only = yes", "smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot",
          "smtpd_sasl_path = " + dovecot_->authentication_socket(),
          "smtpd_relay_restrictions = permit_sasl_authenticated, reject",
          "smtpd_client_restrictions = permit_sasl_authenticated, reject",
          // Who is refused is told so at once.
          "smtpd_error_sleep_time = 0"},
      std::vector<std::string>{entrance(submission_port_, ""),
                               entrance(submissions_port_, " -o smtpd_tls_wrappermode=yes"),
                               entrance(bare_port_, no_tls)});
}

void MailServer::start_postfix() {
  postfix_->start();
  const auto up = eventually([&] {
    return takes_connections(submission_port_) && takes_connections(submissions_port_) &&
           takes_connections(bare_port_);
  });
  if (!up) throw std::runtime_error{"Postfix does not listen: " + postfix_->log()};
}

void MailServer::release() const {
  dovecot_->open_delivery();
  postfix_->flush();
}

}  // namespace tocsin::integration
