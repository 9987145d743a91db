#include "agent/app/control_client.hpp"

#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "agent/app/configuration.hpp"
#include "agent/app/printing.hpp"
#include "agent/app/real_world.hpp"

namespace tocsin::app {

namespace {

asio::awaitable<void> exchange(Network& network, HttpRequest request, HttpOutcome& into) {
  into = co_await network.http(std::move(request));
}

}  // namespace

Result<std::string> control_socket(const std::string& config) {
  const auto loaded = load_without_secrets(config);
  // An edit that went wrong must not keep people from the agent that still runs.
  if (loaded.state_dir.empty()) return Error{Errc::malformed, loaded.report};
  return loaded.state_dir + "/control.sock";
}

Result<boost::json::value> ask_socket(const std::string& socket, AgentRequest asked) {
  RealWorld world;
  HttpRequest request{
      .method = std::move(asked.method),
      .url = {.scheme = "http", .host = "tocsin", .port = 80, .target = std::move(asked.target)},
      .unix_socket = socket,
      .deadline = world.clock.steady() + asked.patience,
      .response_bytes_max = 64u << 20};
  if (!asked.content_type.empty()) {
    request.headers.emplace_back("Content-Type", asked.content_type);
    request.body = std::move(asked.body);
  }
  HttpOutcome outcome;
  // The network keeps a sleeper for deadlines: the loop ends with the exchange, not with the last
  // of its timers.
  asio::co_spawn(world.loop, exchange(world.network(), std::move(request), outcome),
                 [&world](std::exception_ptr) { world.loop.stop(); });
  world.loop.run();
  if (!outcome.response) {
    const auto why = outcome.failure ? outcome.failure->error.detail : std::string{"no answer"};
    return Error{Errc::unreachable, "the agent does not answer on " + socket + " (" + why +
                                        "); is it running, with this --config?"};
  }
  boost::system::error_code fault;
  auto answer = boost::json::parse(outcome.response->body, fault);
  if (outcome.response->status >= 400) {
    const auto sentence = fault ? std::string{} : text_of(answer, "error");
    return Error{Errc::refused,
                 sentence.empty() ? "the agent answered " + std::to_string(outcome.response->status)
                                  : sentence};
  }
  if (fault) return Error{Errc::protocol, "the agent's answer is not JSON"};
  return answer;
}

Result<boost::json::value> ask_agent(const CommonOptions& common, const std::string& method,
                                     const std::string& target, const boost::json::value& body) {
  const auto socket = control_socket(common.config);
  if (!socket) return socket.error();
  AgentRequest request{.method = method, .target = target};
  if (!body.is_null()) {
    request.content_type = "application/json";
    request.body = boost::json::serialize(body);
  }
  auto answer = ask_socket(*socket, std::move(request));
  if (answer || answer.error().code != Errc::unreachable) return answer;
  if (const auto loaded = load_without_secrets(common.config); !loaded.settings)
    return Error{Errc::malformed, loaded.report};
  return answer;
}

int complain(const Error& error) {
  std::cerr << "tocsin: " << error.detail;
  if (error.detail.empty() || error.detail.back() != '\n') std::cerr << "\n";
  switch (error.code) {
    case Errc::unreachable:
      return to_int(ExitCode::no_agent);
    case Errc::malformed:
      return to_int(ExitCode::bad_configuration);
    case Errc::missing:
    case Errc::unreadable:
    case Errc::timed_out:
    case Errc::unresolved:
    case Errc::tls:
    case Errc::disconnected:
    case Errc::protocol:
    case Errc::too_large:
    case Errc::refused:
    case Errc::cancelled:
    case Errc::stuck:
    case Errc::unsupported:
    case Errc::internal:
      return to_int(ExitCode::failed);
  }
  return to_int(ExitCode::failed);
}

}  // namespace tocsin::app
