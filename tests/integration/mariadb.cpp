#include "tests/integration/mariadb.hpp"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace tocsin::integration {
namespace {

constexpr const char* server_binary = "/usr/sbin/mariadbd";
constexpr const char* install_script = "/usr/bin/mariadb-install-db";
constexpr const char* client_binary = "/usr/bin/mariadb";
constexpr int attempts = 5;  // Somebody else may take the port between asking for it and using it.

/// The files of an empty server, made once for all servers of a test program.
std::string installed_data() {
  static const Folder folder;
  static const std::string data = [] {
    std::vector<std::string> command{install_script,
                                     "--no-defaults",
                                     "--datadir=" + (folder / "data"),
                                     "--auth-root-authentication-method=normal",
                                     "--skip-test-db",
                                     "--innodb-log-file-size=4M"};
    if (geteuid() == 0) command.push_back("--user=root");
    const auto answer = run(command, {}, 60s);
    if (answer.code != 0)
      throw std::runtime_error{"mariadb-install-db failed: " + answer.output + answer.errors};
    return folder / "data";
  }();
  return data;
}

}  // namespace

bool Mariadb::installed() {
  return access(server_binary, X_OK) == 0 && access(install_script, X_OK) == 0 &&
         access(client_binary, X_OK) == 0;
}

Mariadb::Mariadb(int server_id, std::vector<std::string> settings)
    : server_id_{server_id}, settings_{std::move(settings)} {
  std::filesystem::copy(installed_data(), folder_ / "data",
                        std::filesystem::copy_options::recursive);
}

Mariadb::~Mariadb() {
  if (server_) server_->kill();
}

void Mariadb::start() {
  std::string said;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A second start is on the same port: it is the same service that comes back.
    if (port_ == 0 || attempt > 0) port_ = free_port();
    std::vector<std::string> command{server_binary,
                                     "--no-defaults",
                                     "--datadir=" + (folder_ / "data"),
                                     "--socket=" + socket(),
                                     "--pid-file=" + (folder_ / "pid"),
                                     "--port=" + std::to_string(port_),
                                     "--bind-address=127.0.0.1",
                                     "--server-id=" + std::to_string(server_id_),
                                     "--log-bin=bin",
                                     "--relay-log=relay",
                                     "--innodb-buffer-pool-size=8M",
                                     "--innodb-log-file-size=4M",
                                     "--innodb-flush-log-at-trx-commit=2",
                                     "--sync-binlog=0",
                                     "--skip-name-resolve"};
    if (geteuid() == 0) command.push_back("--user=root");
    command.insert(command.end(), settings_.begin(), settings_.end());
    server_ = std::make_unique<Program>(command);
    const bool up = eventually([&] {
      return !server_->running() ||
             server_->text().find("ready for connections") != std::string::npos;
    });
    if (up && server_->running()) return;
    said = server_->text();
  }
  throw std::runtime_error{"MariaDB did not start: " + said};
}

std::vector<std::string> Mariadb::client_command(const std::string& statements) const {
  return {client_binary, "--no-defaults",       "--user=root",  "--socket=" + socket(),
          "--batch",     "--skip-column-names", "--unbuffered", "--execute=" + statements};
}

std::string Mariadb::sql(const std::string& statements) const {
  const auto answer = run(client_command(statements));
  if (answer.code != 0) throw std::runtime_error{"MariaDB refused: " + answer.errors};
  return answer.output;
}

std::unique_ptr<Program> Mariadb::client(const std::string& statements) const {
  return std::make_unique<Program>(client_command(statements));
}

}  // namespace tocsin::integration
