#include "tests/integration/redis_server.hpp"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace tocsin::integration {
namespace {

constexpr const char* server = "/usr/bin/redis-server";
constexpr const char* client_program = "/usr/bin/redis-cli";
constexpr int attempts = 5;  // Somebody else may take the port between asking for it and using it.

}  // namespace

bool RedisServer::installed() {
  return access(server, X_OK) == 0 && access(client_program, X_OK) == 0;
}

RedisServer::RedisServer(std::vector<std::string> options) : options_{std::move(options)} {
  std::filesystem::create_directories(folder_ / "data");
}

std::vector<std::string> RedisServer::command() const {
  std::vector<std::string> words{server,
                                 "--port",
                                 std::to_string(port_),
                                 "--bind",
                                 "127.0.0.1",
                                 "--dir",
                                 folder_ / "data",
                                 "--save",
                                 "",
                                 "--unixsocket",
                                 socket(),
                                 "--enable-protected-configs",
                                 "yes"};
  words.insert(words.end(), options_.begin(), options_.end());
  return words;
}

void RedisServer::launch() { server_ = std::make_unique<Program>(command()); }

void RedisServer::start() {
  std::string said;
  const bool again = port_ != 0;
  for (int attempt = 0; attempt < (again ? 1 : attempts); ++attempt) {
    if (!again) port_ = free_port();
    launch();
    if (server_->wait_for_line("Ready to accept connections")) return;
    said = server_->text();
  }
  throw std::runtime_error{"redis-server did not start: " + said};
}

std::vector<std::string> RedisServer::client() const {
  return {client_program, "-h", "127.0.0.1", "-p", std::to_string(port_)};
}

std::string RedisServer::ask(std::vector<std::string> words, const std::string& password) const {
  auto command = client();
  command.insert(command.end(), words.begin(), words.end());
  auto answer = run(command, {{"REDISCLI_AUTH", password}});
  auto& text = answer.output;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text + answer.errors;
}

}  // namespace tocsin::integration
