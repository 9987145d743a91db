#include "tests/integration/postgres.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <pwd.h>
#include <unistd.h>

namespace tocsin::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* user = "postgres";
constexpr int attempts = 5;  // Somebody else may take the port between asking for it and using it.

/// Where Debian puts the programs of the newest version; "" when there is none.
std::string binaries() {
  std::string newest;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", ignored}) {
    const auto folder = version.path().string() + "/bin/";
    if (access((folder + "initdb").c_str(), X_OK) == 0) newest = std::max(newest, folder);
  }
  return newest;
}

void must_succeed(const Answer& answer, const std::string& what) {
  if (answer.code != 0)
    throw std::runtime_error{what + " failed: " + answer.output + answer.errors};
}

}  // namespace

bool Postgres::installed() {
  return !binaries().empty() && (geteuid() != 0 || getpwnam(user) != nullptr);
}

std::vector<std::string> Postgres::as_owner(std::vector<std::string> command) {
  if (geteuid() != 0) return command;
  // The signal at the parent's death is forgotten when the user changes, so it is asked for anew.
  std::vector<std::string> words{"/usr/bin/setpriv", "--reuid",     user,   "--regid", user,
                                 "--clear-groups",   "--pdeathsig", "KILL", "--"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void Postgres::settle_folder() const {
  if (geteuid() != 0) return;
  const auto* const owner = getpwnam(user);
  if (owner == nullptr || chown(folder_.path().c_str(), owner->pw_uid, owner->pw_gid) != 0)
    throw std::runtime_error{"cannot give " + folder_.path() + " to " + user};
}

Postgres::Postgres(std::vector<std::string> settings) : settings_{std::move(settings)} {
  settle_folder();
  must_succeed(run(as_owner({binaries() + "initdb", "-D", folder_ / "data", "-U", "postgres",
                             "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync",
                             "--no-locale", "--encoding=UTF8"})),
               "initdb");
}

Postgres::Postgres(const Postgres& primary, const std::string& name)
    : settings_{primary.settings_} {
  settle_folder();
  must_succeed(
      run(as_owner({binaries() + "pg_basebackup", "-D", folder_ / "data", "-R", "--no-sync",
                    "--checkpoint=fast", "-d",
                    "host=" + primary.folder_.path() + " port=" + std::to_string(primary.port_) +
                        " user=postgres application_name=" + name})),
      "pg_basebackup");
  // The copy of the name that the backup itself went by.
  settings_.push_back("primary_conninfo=host=" + primary.folder_.path() + " port=" +
                      std::to_string(primary.port_) + " user=postgres application_name=" + name);
}

Postgres::~Postgres() {
  try {
    if (server_ && server_->running()) stop();
  } catch (const std::exception&) {
    // Its object ends it for good.
  }
}

void Postgres::start() {
  std::string said;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (port_ == 0 || attempt > 0) port_ = free_port();
    std::vector<std::string> command{binaries() + "postgres", "-D", folder_ / "data"};
    std::vector<std::string> all{"port=" + std::to_string(port_),
                                 "listen_addresses=127.0.0.1",
                                 "unix_socket_directories=" + folder_.path(),
                                 "fsync=off",
                                 "shared_buffers=8MB",
                                 "autovacuum=off",
                                 "wal_receiver_status_interval=1",
                                 "wal_retrieve_retry_interval=200ms"};
    all.insert(all.end(), settings_.begin(), settings_.end());
    for (const auto& setting : all) command.insert(command.end(), {"-c", setting});
    server_ = std::make_unique<Program>(as_owner(std::move(command)));
    if (server_->wait_for_line("ready to accept")) return;
    said = server_->text();
    server_->kill();
  }
  throw std::runtime_error{"PostgreSQL did not start: " + said};
}

void Postgres::stop() {
  server_->signal(SIGINT);
  if (!server_->wait_for_exit()) server_->kill();
}

void Postgres::kill() {
  const auto children = children_of(server_->pid());
  server_->kill();
  eventually([&] { return std::none_of(children.begin(), children.end(), lives); });
}

std::string Postgres::sql(const std::string& statements) const {
  const auto answer =
      run({binaries() + "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h",
           folder_.path(), "-p", std::to_string(port_), "-U", "postgres", "-c", statements});
  must_succeed(answer, statements);
  return answer.output;
}

std::unique_ptr<Program> Postgres::client(const std::string& role, const std::string& program,
                                          const std::vector<std::string>& statements) const {
  std::vector<std::string> command{binaries() + "psql",
                                   "-X",
                                   "-v",
                                   "ON_ERROR_STOP=1",
                                   "-d",
                                   "host=" + folder_.path() + " port=" + std::to_string(port_) +
                                       " user=" + role +
                                       " dbname=postgres application_name=" + program};
  for (const auto& statement : statements) command.insert(command.end(), {"-c", statement});
  return std::make_unique<Program>(std::move(command));
}

std::string Postgres::dsn(const std::string& role, const std::string& password) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + role +
         " password=" + password + " dbname=postgres";
}

}  // namespace tocsin::integration
