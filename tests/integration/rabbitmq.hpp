#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/integration/http_client.hpp"
#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real RabbitMQ with its management interface on 127.0.0.1, a port mapper of its own beside it,
/// and its files in a folder of its own. Its user is "sre".
class RabbitMq {
 public:
  static bool installed();
  static constexpr const char* package = "rabbitmq-server";

  RabbitMq();

  /// Starts it and waits until it answers; again after kill(), with what it had kept.
  void start();
  void kill() { server_->kill(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(management_port_); }
  const std::string& password() const { return password_; }
  /// As an operator would after a leak.
  void set_password(const std::string& password);

  void make_queue(std::string_view queue) const;
  void delete_queue(std::string_view queue) const;
  void publish(std::string_view queue, int messages) const;
  void purge(std::string_view queue) const;
  /// What is published to `from` is taken from it to `to`, by a consumer of the broker's own.
  void start_mover(std::string_view from, std::string_view to) const;
  /// The consumer dies, if there is one.
  void stop_mover() const;
  /// Has too little memory from now on, so that it blocks whoever publishes; or enough again.
  /// Returns once the management interface says so.
  void want_memory(bool wants) const;
  /// A number of the management interface's description of a queue; -1 when there is none.
  double number(std::string_view queue, std::string_view name) const;

 private:
  Response ask(const std::string& method, const std::string& target,
               const json::value& body = nullptr) const;
  std::string node() const { return "tocsin" + std::to_string(management_port_) + "@localhost"; }
  void expect(const Response& response) const;
  void write_configuration() const;

  Folder folder_;
  std::string password_{"first-secret"};
  int amqp_port_{0}, management_port_{0}, distribution_port_{0}, mapper_port_{0};
  std::unique_ptr<Program> mapper_{}, server_{};
};

}  // namespace tocsin::integration
