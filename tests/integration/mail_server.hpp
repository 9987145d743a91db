#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/integration/dovecot.hpp"
#include "tests/integration/postfix.hpp"
#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A mail server as a company has one: a Postfix that takes mail from whoever logs in, and a
/// Dovecot that keeps it. Both ask the same file for passwords.
class MailServer {
 public:
  static constexpr std::string_view address = "tocsin@mailbox.test";  ///< Who gets the mail.
  static constexpr std::string_view reader = "tocsin";                ///< Who reads it over IMAP.
  static constexpr std::string_view sender = "app";                   ///< Who submits it over SMTP.
  /// The name in its certificate, beside 127.0.0.1.
  static constexpr std::string_view name = "mail.tocsin.test";

  /// Why there can be none here, as one line; "" when there can.
  static std::string missing();

  /// Both servers, up.
  MailServer();

  Postfix& postfix() { return *postfix_; }
  Dovecot& dovecot() { return *dovecot_; }
  /// After a kill(): on the same port.
  void start_postfix();

  std::string submission() const { return at(submission_port_); }    ///< STARTTLS and a password.
  std::string submissions() const { return at(submissions_port_); }  ///< The same, TLS at once.
  std::string bare() const { return at(bare_port_); }  ///< A password, and no TLS at all.
  /// The authority that its certificate is of, and one that knows nothing of it.
  std::string authority_file() const { return folder_ / "authority.pem"; }
  std::string stranger_file() const { return folder_ / "stranger.pem"; }
  const std::string& sender_password() const { return sender_password_; }
  const std::string& reader_password() const { return reader_password_; }

  /// From now on all mail that is taken waits in the queue of Postfix: what keeps the mailboxes
  /// takes none.
  void hold() const { dovecot_->shut_delivery(); }
  void release() const;
  /// How many messages are in the mailbox.
  int count() const { return dovecot_->count(std::string{reader}); }
  std::string log() const { return postfix_->log() + dovecot_->log(); }

 private:
  static std::string at(int port) { return "127.0.0.1:" + std::to_string(port); }
  void make_certificates() const;
  void make_postfix();

  Folder folder_;
  std::string sender_password_{"sender-secret"}, reader_password_{"reader-secret"};
  int submission_port_{0}, submissions_port_{0}, bare_port_{0};
  std::unique_ptr<Dovecot> dovecot_{};
  std::unique_ptr<Postfix> postfix_{};
};

}  // namespace tocsin::integration
