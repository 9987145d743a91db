#include "tests/integration/dovecot.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* server_program = "/usr/sbin/dovecot";
constexpr const char* client_program = "/usr/bin/doveadm";
// Mail belongs to a user that every Debian has.
constexpr const char* mail_owner = "mail";
constexpr int attempts = 5;  // Somebody else may take a port between asking for it and using it.

bool installed(const char* service) {
  return access((std::string{"/usr/lib/dovecot/"} + service).c_str(), X_OK) == 0;
}

}  // namespace

std::string Dovecot::missing() {
  if (access(server_program, X_OK) != 0 || !installed("imap"))
    return "Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd";
  if (!installed("lmtp")) return "Dovecot takes no mail: apt-get install dovecot-lmtpd";
  for (const auto* user : {"dovecot", "dovenull", mail_owner})
    if (getpwnam(user) == nullptr) return std::string{"there is no user "} + user;
  return geteuid() == 0 ? "" : "Dovecot can be started by root alone";
}

Dovecot::Dovecot(const Certificate& certificate) {
  ::chmod(folder_.path().c_str(), 0755);
  for (const auto* name : {"run", "state", "homes"}) fs::create_directories(folder_ / name);
  const auto* const owner = getpwnam(mail_owner);
  if (owner == nullptr || chown((folder_ / "homes").c_str(), owner->pw_uid, owner->pw_gid) != 0)
    throw std::runtime_error{"cannot give " + (folder_ / "homes") + " to " + mail_owner};
  folder_.write("users", "");
  folder_.write("common.conf",
                "base_dir = " + (folder_ / "run") + "\nstate_dir = " + (folder_ / "state") +
                    "\nlog_path = /dev/stderr\nprotocols = imap lmtp\nlisten = 127.0.0.1\n"
                    "hostname = store.tocsin.test\n"
                    "ssl = yes\nssl_cert = <" +
                    certificate.chain + "\nssl_key = <" + certificate.key +
                    "\nfirst_valid_uid = 1\nmail_location = maildir:~/mail\n"
                    "auth_mechanisms = plain login\nauth_username_format = %Ln\n"
                    // Who is refused is told so at once, however often.
                    "auth_failure_delay = 0\n"
                    "service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"
                    "passdb {\n  driver = passwd-file\n  args = scheme=PLAIN " +
                    (folder_ / "users") + "\n}\nuserdb {\n  driver = static\n  args = uid=" +
                    mail_owner + " gid=" + mail_owner + " home=" + (folder_ / "homes") +
                    "/%n\n}\n"
                    "service auth {\n  unix_listener " +
                    authentication_socket() +
                    " {\n    user = postfix\n    mode = 0600\n  }\n}\n"
                    "service lmtp {\n  unix_listener " +
                    delivery_socket() + " {\n    user = postfix\n    mode = 0600\n  }\n}\n");
}

Dovecot::~Dovecot() {
  try {
    stop();
  } catch (const std::exception&) {
    // Its object ends it for good.
  }
}

void Dovecot::start() {
  fs::remove(delivery_socket() + ".shut");
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A second start is on the same ports: it is the same service that comes back.
    if (imap_port_ == 0 || attempt > 0) {
      imap_port_ = free_port();
      imaps_port_ = free_port();
    }
    const auto configuration = folder_.write(
        "dovecot.conf",
        "!include common.conf\nservice imap-login {\n  inet_listener imap {\n"
        "    port = " +
            std::to_string(imap_port_) + "\n  }\n  inet_listener imaps {\n    port = " +
            std::to_string(imaps_port_) + "\n    ssl = yes\n  }\n}\n");
    server_ = std::make_unique<Program>(
        std::vector<std::string>{server_program, "-F", "-c", configuration});
    const auto up = eventually([&] {
      return !server_->running() ||
             (takes_connections(imap_port_) && takes_connections(imaps_port_));
    });
    if (up && server_->running()) return;
    kill();
  }
  throw std::runtime_error{"Dovecot did not start: " + said_};
}

void Dovecot::stop() {
  if (!server_) return;
  const auto children = children_of(server_->pid());
  server_->signal(SIGTERM);
  server_->wait_for_exit();
  said_ = server_->text();
  server_.reset();
  end_all(children);
}

void Dovecot::kill() {
  kill_with_children(*server_);
  said_ = server_->text();
  server_.reset();
}

void Dovecot::set_password(const std::string& user, const std::string& password) {
  passwords_[user] = password;
  std::string lines;
  for (const auto& [name, secret] : passwords_) lines += name + ":" + secret + "\n";
  folder_.write("users", lines);
  if (!server_) return;
  // It looks at the file once a second.
  const auto known = eventually([&] {
    return run({client_program, "-c", folder_ / "dovecot.conf", "auth", "test", user, password})
               .code == 0;
  });
  if (!known) throw std::runtime_error{"Dovecot does not know the password: " + log()};
}

void Dovecot::shut_delivery() const { fs::rename(delivery_socket(), delivery_socket() + ".shut"); }

void Dovecot::open_delivery() const { fs::rename(delivery_socket() + ".shut", delivery_socket()); }

void Dovecot::put(const std::string& user, const std::string& text) const {
  const auto file = folder_.write("put", text);
  const auto placed = run({"/usr/bin/install", "-o", mail_owner, "-g", mail_owner, file,
                           folder_ / ("homes/" + user + "/mail/new/put." + user)});
  if (placed.code != 0) throw std::runtime_error{"cannot put mail: " + placed.errors};
}

void Dovecot::lose_mailbox(const std::string& user) const {
  fs::remove_all(folder_ / ("homes/" + user));
}

int Dovecot::count(const std::string& user) const {
  int out = 0;
  for (const auto* part : {"/mail/new", "/mail/cur"}) {
    std::error_code ignored;
    for ([[maybe_unused]] const auto& each :
         fs::directory_iterator{folder_ / ("homes/" + user + part), ignored})
      ++out;
  }
  return out;
}

}  // namespace tocsin::integration
