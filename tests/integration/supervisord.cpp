#include "tests/integration/supervisord.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace tocsin::integration {
namespace {

constexpr const char* binary = "/usr/bin/supervisord";
constexpr const char* controller = "/usr/bin/supervisorctl";
constexpr int attempts = 5;  // Somebody else may take the port between asking for it and using it.

}  // namespace

bool Supervisord::installed() { return access(binary, X_OK) == 0 && access(controller, X_OK) == 0; }

Supervisord::~Supervisord() {
  if (program_ && program_->running()) {
    program_->signal(SIGTERM);
    if (!program_->wait_for_exit()) kill();
  }
  clear_up();
}

std::string Supervisord::configuration() const {
  return "[unix_http_server]\nfile=" + unix_socket() +
         "\nchmod=0700\n[inet_http_server]\nport=127.0.0.1:" + std::to_string(port_) +
         "\nusername=" + user + "\npassword=" + password +
         "\n[supervisord]\nnodaemon=true\nlogfile=" + (folder_ / "supervisord.log") +
         "\npidfile=" + (folder_ / "supervisord.pid") + "\nchildlogdir=" + folder_.path() +
         "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
         "supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://" +
         unix_socket() + "\n" + programs_;
}

void Supervisord::start() {
  std::string said;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A second start is on the same port: it is the same service that comes back.
    if (port_ == 0 || attempt > 0) port_ = free_port();
    const auto config = folder_.write("supervisord.conf", configuration());
    program_ =
        std::make_unique<Program>(std::vector<std::string>{binary, "--nodaemon", "-c", config});
    const auto up = eventually([&] {
      return !program_->running() || control({"pid"}).output.find_first_of("123456789") == 0;
    });
    if (up && program_->running()) return;
    said = program_->text();
  }
  throw std::runtime_error{"supervisord did not start: " + said};
}

void Supervisord::stop() {
  program_->signal(SIGTERM);
  if (!program_->wait_for_exit()) throw std::runtime_error{"supervisord did not stop"};
}

void Supervisord::kill() {
  for (const auto pid : children_of(program_->pid())) orphans_.push_back(pid);
  program_->kill();
}

void Supervisord::clear_up() {
  // The numbers were children of ours a moment ago; what is `sleep` there still is.
  for (const auto pid : orphans_)
    if (read_file("/proc/" + std::to_string(pid) + "/comm") == "sleep\n") ::kill(pid, SIGKILL);
  eventually([&] { return std::none_of(orphans_.begin(), orphans_.end(), lives); });
  orphans_.clear();
}

Answer Supervisord::control(std::vector<std::string> words) const {
  std::vector<std::string> command{controller, "-c", folder_ / "supervisord.conf"};
  command.insert(command.end(), words.begin(), words.end());
  return run(std::move(command));
}

bool Supervisord::is(const std::string& program, const std::string& state) const {
  return control({"status", program}).output.find(" " + state + " ") != std::string::npos;
}

pid_t Supervisord::pid_of(const std::string& program) const {
  return static_cast<pid_t>(std::stoi(control({"pid", program}).output));
}

}  // namespace tocsin::integration
