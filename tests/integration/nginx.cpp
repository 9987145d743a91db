#include "tests/integration/nginx.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <unistd.h>

#include "tests/integration/http_client.hpp"

namespace tocsin::integration {
namespace {

constexpr const char* binary = "/usr/sbin/nginx";
constexpr int attempts = 5;  // Somebody else may take the port between asking for it and using it.

std::string configuration(const std::string& folder, int port) {
  std::string out = "daemon off;\nworker_processes 1;\npid " + folder +
                    "/nginx.pid;\nerror_log stderr notice;\nevents {}\nhttp {\n  access_log off;\n";
  for (const auto* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    out += std::string{"  "} + kind + "_temp_path " + folder + "/" + kind + ";\n";
  }
  return out + "  server {\n    listen 127.0.0.1:" + std::to_string(port) +
         ";\n    location / { return 200 \"ok\\n\"; }\n  }\n}\n";
}

}  // namespace

bool Nginx::installed() { return access(binary, X_OK) == 0; }

Nginx::Nginx() : pidfile_{folder_ / "nginx.pid"} {}

Nginx::~Nginx() {
  if (master_ && master_->running()) kill_master();
  clear_up();
}

void Nginx::start() {
  std::string said;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A second start is on the same port: it is the same service that comes back.
    if (port_ == 0 || attempt > 0) port_ = free_port();
    const auto config = folder_.write("nginx.conf", configuration(folder_.path(), port_));
    master_ = std::make_unique<Program>(
        std::vector<std::string>{binary, "-p", folder_.path(), "-c", config, "-e", "stderr"});
    const auto up = eventually(
        [&] { return !master_->running() || ask_tcp(address(), {}, 2s).body == "ok\n"; });
    if (up && master_->running()) {
      workers_ = children_of(master_->pid());
      return;
    }
    said = master_->text();
  }
  throw std::runtime_error{"nginx did not start: " + said};
}

void Nginx::kill_master() {
  workers_ = children_of(master_->pid());
  master_->kill();
}

void Nginx::clear_up() {
  // The numbers were children of ours a moment ago; what is named nginx there still is.
  for (const auto pid : workers_) {
    const auto is_nginx = read_file("/proc/" + std::to_string(pid) + "/comm") == "nginx\n";
    if (is_nginx) kill(pid, SIGKILL);
  }
  eventually([&] { return std::none_of(workers_.begin(), workers_.end(), lives); });
  workers_.clear();
}

}  // namespace tocsin::integration
