#include "tests/integration/rabbitmq.hpp"

#include <stdexcept>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

namespace tocsin::integration {
namespace {

// The script itself: the one in the path changes the user.
constexpr const char* server_program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
constexpr const char* control_program = "/usr/lib/rabbitmq/bin/rabbitmqctl";
constexpr const char* mapper_program = "/usr/bin/epmd";
constexpr int attempts = 3;  // Somebody else may take a port between asking for it and using it.
constexpr Duration start_patience = 90s;  // An Erlang machine on a host that builds meanwhile.

/// A queue's name in a path. The tests' names have nothing but blanks in them to be encoded.
std::string segment(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == ' ' ? std::string{"%20"} : std::string{c};
  return out;
}

std::string base64(std::string_view bytes) {
  namespace codec = boost::beast::detail::base64;
  std::string out(codec::encoded_size(bytes.size()), '\0');
  out.resize(codec::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

}  // namespace

bool RabbitMq::installed() {
  return access(server_program, X_OK) == 0 && access(mapper_program, X_OK) == 0;
}

RabbitMq::RabbitMq() = default;

void RabbitMq::write_configuration() const {
  folder_.write("rabbitmq.conf",
                "listeners.tcp.default = 127.0.0.1:" + std::to_string(amqp_port_) +
                    "\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = " +
                    std::to_string(management_port_) +
                    "\ndefault_user = sre\ndefault_pass = " + password_ +
                    "\ncollect_statistics_interval = 500\nlog.console = true\nlog.file = false\n");
  folder_.write("enabled_plugins", "[rabbitmq_management, rabbitmq_shovel].\n");
}

void RabbitMq::start() {
  std::string said;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A second start is on the same ports: it is the same service that comes back.
    if (management_port_ == 0 || attempt > 0) {
      for (auto* port : {&amqp_port_, &management_port_, &distribution_port_, &mapper_port_})
        *port = free_port();
      const auto mapper_port = std::to_string(mapper_port_);
      mapper_ = std::make_unique<Program>(
          std::vector<std::string>{mapper_program, "-port", mapper_port, "-address", "127.0.0.1"});
    }
    write_configuration();
    server_ = std::make_unique<Program>(
        std::vector<std::string>{server_program},
        std::map<std::string, std::string>{
            // Otherwise the script stays in front of the server, and a kill would not reach it.
            {"RUNNING_UNDER_SYSTEMD", "true"},
            {"HOME", folder_.path()},
            {"ERL_EPMD_PORT", std::to_string(mapper_port_)},
            {"ERL_EPMD_ADDRESS", "127.0.0.1"},
            {"RABBITMQ_NODENAME", node()},
            {"RABBITMQ_DIST_PORT", std::to_string(distribution_port_)},
            {"RABBITMQ_CONF_ENV_FILE", folder_ / "none.conf"},
            {"RABBITMQ_CONFIG_FILE", folder_ / "rabbitmq.conf"},
            {"RABBITMQ_ADVANCED_CONFIG_FILE", folder_ / "none.config"},
            {"RABBITMQ_ENABLED_PLUGINS_FILE", folder_ / "enabled_plugins"},
            {"RABBITMQ_MNESIA_BASE", folder_ / "mnesia"},
            {"RABBITMQ_LOG_BASE", folder_ / "log"},
            {"RABBITMQ_PID_FILE", folder_ / "pid"}});
    const auto up =
        eventually([&] { return !server_->running() || ask("GET", "/api/overview").status == 200; },
                   start_patience);
    if (up && server_->running()) return;
    said = server_->text();
    server_->kill();
  }
  throw std::runtime_error{"RabbitMQ did not start: " + said};
}

Response RabbitMq::ask(const std::string& method, const std::string& target,
                       const json::value& body) const {
  return ask_tcp(address(), {.method = method,
                             .target = target,
                             .body = body.is_null() ? std::string{} : json::serialize(body),
                             .headers = {{"authorization", "Basic " + base64("sre:" + password_)},
                                         {"content-type", "application/json"}}});
}

void RabbitMq::expect(const Response& response) const {
  if (response.status < 200 || response.status > 299)
    throw std::runtime_error{"RabbitMQ answered " + std::to_string(response.status) + ": " +
                             response.body + "\n" + server_->text()};
}

void RabbitMq::set_password(const std::string& password) {
  expect(ask("PUT", "/api/users/sre",
             json::object{{"password", password}, {"tags", "administrator"}}));
  password_ = password;
}

void RabbitMq::make_queue(std::string_view queue) const {
  expect(ask("PUT", "/api/queues/%2F/" + segment(queue), json::object{{"durable", true}}));
}

void RabbitMq::delete_queue(std::string_view queue) const {
  expect(ask("DELETE", "/api/queues/%2F/" + segment(queue)));
}

void RabbitMq::want_memory(bool wants) const {
  const auto share = wants ? "0.000001" : "0.9";
  const auto answer = run({control_program, "-n", node(), "set_vm_memory_high_watermark", share},
                          {{"HOME", folder_.path()},
                           {"ERL_EPMD_PORT", std::to_string(mapper_port_)},
                           {"RABBITMQ_CONF_ENV_FILE", folder_ / "none.conf"}});
  const int expected = wants ? 503 : 200;
  if (!eventually([&] { return ask("GET", "/api/health/checks/alarms").status == expected; }))
    throw std::runtime_error{"no change of the memory alarm: " + answer.output + answer.errors};
}

void RabbitMq::publish(std::string_view queue, int messages) const {
  const json::object message{{"properties", json::object{{"delivery_mode", 2}}},
                             {"routing_key", queue},
                             {"payload", "x"},
                             {"payload_encoding", "string"}};
  for (int i = 0; i < messages; ++i) {
    const auto answer = ask("POST", "/api/exchanges/%2F/amq.default/publish", message);
    expect(answer);
    if (answer.body != R"({"routed":true})") throw std::runtime_error{"lost: " + answer.body};
  }
}

void RabbitMq::purge(std::string_view queue) const {
  expect(ask("DELETE", "/api/queues/%2F/" + segment(queue) + "/contents"));
}

void RabbitMq::start_mover(std::string_view from, std::string_view to) const {
  const auto uri = "amqp://sre:" + password_ + "@127.0.0.1:" + std::to_string(amqp_port_) + "/%2F";
  expect(ask("PUT", "/api/parameters/shovel/%2F/mover",
             json::object{{"value", json::object{{"src-protocol", "amqp091"},
                                                 {"src-uri", uri},
                                                 {"src-queue", from},
                                                 {"dest-protocol", "amqp091"},
                                                 {"dest-uri", uri},
                                                 {"dest-queue", to}}}}));
}

void RabbitMq::stop_mover() const {
  const auto answer = ask("DELETE", "/api/parameters/shovel/%2F/mover");
  if (answer.status != 404) expect(answer);
}

double RabbitMq::number(std::string_view queue, std::string_view name) const {
  const auto described = ask("GET", "/api/queues/%2F/" + segment(queue)).json();
  const auto& value = at(described, name);
  return value.is_number() ? value.to_number<double>() : -1;
}

}  // namespace tocsin::integration
