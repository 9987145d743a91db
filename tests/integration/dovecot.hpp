#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real Dovecot on 127.0.0.1 with its mailboxes in a folder of its own. A user's name is what
/// stands before the @ of an address; everybody in users() may log in.
class Dovecot {
 public:
  /// Why there can be none here, as one line; "" when there can.
  static std::string missing();

  /// A PEM file each.
  struct Certificate {
    std::string chain{}, key{};
  };

  explicit Dovecot(const Certificate& certificate);
  ~Dovecot();

  void start();  ///< And waits until it takes connections. Throws with what it said.
  void stop();   ///< Orderly.
  void kill();   ///< SIGKILL, as the kernel would; and its children with it.

  /// Also of a new user; holds when it returns.
  void set_password(const std::string& user, const std::string& password);

  std::string imap_address() const {
    return "127.0.0.1:" + std::to_string(imap_port_);
  }  ///< STARTTLS.
  std::string imaps_address() const { return "127.0.0.1:" + std::to_string(imaps_port_); }
  /// Where a Postfix asks whether a password is right.
  std::string authentication_socket() const { return folder_ / "authentication"; }
  /// Where a Postfix hands over what is for these mailboxes.
  std::string delivery_socket() const { return folder_ / "delivery"; }
  /// While it is shut nothing can be handed over, and everything else goes on.
  void shut_delivery() const;
  void open_delivery() const;

  /// A message that nobody delivered, in a mailbox that has been looked into.
  void put(const std::string& user, const std::string& text) const;
  /// The user's mailbox is gone, as after a disk was lost. A new one is made when it is asked for.
  void lose_mailbox(const std::string& user) const;
  /// How many messages are in a user's inbox.
  int count(const std::string& user) const;
  std::string log() const { return server_ ? server_->text() : said_; }

 private:
  Folder folder_;
  int imap_port_{0}, imaps_port_{0};
  std::map<std::string, std::string> passwords_{};
  std::string said_{};
  std::unique_ptr<Program> server_{};
};

}  // namespace tocsin::integration
