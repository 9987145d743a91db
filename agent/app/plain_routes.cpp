#include <algorithm>

#include "agent/app/api.hpp"
#include "agent/app/version.hpp"

namespace tocsin::app {

namespace {

using http::Access;
using http::Request;
using http::Response;

constexpr Duration boot_patience = std::chrono::seconds{30};

Response text(int status, std::string body) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

/// Ready once every check has had the time to run.
bool ready(const ApiContext& context) {
  const auto& checks = context.core.pipeline().checks();
  return context.clock.steady() - context.started > boot_patience ||
         std::all_of(checks.begin(), checks.end(),
                     [](const auto& item) { return item.second.ever_ran; });
}

asio::awaitable<Response> front_page(ApiContext& context, Request) {
  co_return text(
      200,
      version_line() + " watches " + context.core.host() +
          "\n\n"
          "/metrics                        for Prometheus\n"
          "/-/healthy  /-/ready            for load balancers and service managers\n"
          "/api/v1/status                  how the agent is doing\n"
          "/api/v1/checks                  every check and its last samples\n"
          "/api/v1/incidents               what is not closed; ?all=true for all\n"
          "/api/v1/incidents/{id}          one, with its timeline\n"
          "/api/v1/outbox                  what is decided and not delivered yet\n\n"
          "POST /beat/{name}[/start|/ok|/fail|/log|/exit/{code}]  from jobs, with credentials\n"
          "Writes go through the control socket: tocsin incident --help\n");
}

asio::awaitable<Response> healthy(Request) { co_return text(200, "healthy\n"); }

asio::awaitable<Response> readiness(ApiContext& context, Request) {
  if (ready(context)) co_return text(200, "ready\n");
  co_return text(503, "not ready: some checks have not run yet\n");
}

asio::awaitable<Response> reload(ApiContext& context, Request) {
  const auto outcome = context.reload();
  if (outcome) co_return text(200, "reloaded\n");
  co_return http::error_response(400, outcome.error().detail);
}

}  // namespace

void add_plain_routes(http::Router& router, ApiContext& context) {
  router.add("GET", "/", Access::read,
             [&context](Request request) { return front_page(context, std::move(request)); });
  router.add("GET", "/-/healthy", Access::read,
             [](Request request) { return healthy(std::move(request)); });
  router.add("GET", "/-/ready", Access::read,
             [&context](Request request) { return readiness(context, std::move(request)); });
  router.add("POST", "/-/reload", Access::write,
             [&context](Request request) { return reload(context, std::move(request)); });
}

}  // namespace tocsin::app
