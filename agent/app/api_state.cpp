// The API of the agent itself: how it is, what it saw last, what it has not delivered yet.
#include <algorithm>
#include <charconv>
#include <memory>

#include <boost/json.hpp>

#include "agent/app/api.hpp"
#include "agent/app/api_body.hpp"
#include "agent/app/version.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/json/json.hpp"

namespace tocsin::app {

namespace {

namespace bj = boost::json;
using http::Access;
using http::Request;
using http::Response;

/// The handlers, one method each; registered below.
class StateApi {
 public:
  explicit StateApi(ApiContext& context) : context_{context} {}

  asio::awaitable<Response> status(Request) {
    auto& engine = context_.core.engine();
    bj::object halted;
    std::size_t dead = 0;
    for (const auto& [id, entry] : engine.entries()) {
      dead += entry.state == EntryState::dead ? 1 : 0;
      if (const auto why = engine.halted(entry.receiver)) halted[entry.receiver.value] = *why;
    }
    const auto& checks = context_.core.pipeline().checks();
    const auto in_breach = std::count_if(checks.begin(), checks.end(), [](const auto& item) {
      return item.second.verdict.severity != Severity::ok;
    });
    const auto live = std::count_if(engine.incidents().begin(), engine.incidents().end(),
                                    [](const auto& item) { return is_live(item.second.state); });
    co_return json_response(
        bj::object{{"version", version_line()},
                   {"host", context_.core.host()},
                   {"environment", context_.core.pipeline().settings().environment},
                   {"uptime", describe(context_.clock.steady() - context_.started)},
                   {"checks", checks.size()},
                   {"checks_in_breach", in_breach},
                   {"incidents_live", live},
                   {"outbox", engine.entries().size()},
                   {"outbox_dead", dead},
                   {"durable", context_.core.journal().durable()},
                   {"store_error", context_.core.journal().last_error()},
                   {"config", context_.config_path},
                   {"last_reload_ok", context_.last_reload.good},
                   {"last_reload_error", context_.last_reload.error},
                   {"halted", halted}});
  }

  asio::awaitable<Response> checks(Request) {
    bj::array out;
    for (const auto& [name, watched] : context_.core.pipeline().checks())
      out.push_back(check_object(watched));
    co_return json_response(out);
  }

  asio::awaitable<Response> outbox(Request) {
    bj::array out;
    const auto now = context_.clock.steady();
    for (const auto& [id, entry] : context_.core.engine().entries())
      out.push_back(json::outbox_object(entry, now));
    co_return json_response(out);
  }

  asio::awaitable<Response> retry(Request request) {
    const auto id = entry_id(request);
    if (!id) co_return error_of(id.error());
    const auto outcome = context_.core.engine().retry_entry(*id);
    if (!outcome) co_return error_of(outcome.error());
    co_return json_response(bj::object{{"id", id->value}, {"state", "queued"}});
  }

  asio::awaitable<Response> drop(Request request) {
    const auto id = entry_id(request);
    if (!id) co_return error_of(id.error());
    const auto outcome = context_.core.engine().drop_entry(*id);
    if (!outcome) co_return error_of(outcome.error());
    co_return json_response(bj::object{{"id", id->value}, {"state", "dropped"}});
  }

  asio::awaitable<Response> notify_test(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto wanted = body->text("receiver").value_or("");
    bj::array out;
    const auto notifiers =
        context_.core.notifiers();  // A copy: a reload may replace them while one answers.
    for (const auto& [receiver, notifier] : notifiers) {
      if (!wanted.empty() && receiver.value != wanted) continue;
      const auto deadline = context_.clock.steady() + limits::delivery_timeout;
      const auto outcome = co_await notifier->test(deadline);
      out.push_back(bj::object{{"receiver", receiver.value},
                               {"ok", static_cast<bool>(outcome)},
                               {"detail", outcome ? *outcome : outcome.error().detail}});
    }
    if (out.empty() && !wanted.empty())
      co_return http::error_response(404, "no receiver \"" + wanted + "\" is configured");
    co_return json_response(out);
  }

 private:
  static Result<EntryId> entry_id(Request& request) {
    const auto& text = request.parameters["id"];
    std::uint64_t value{0};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size())
      return Error{Errc::malformed, "\"" + text + "\" is not the number of an outbox entry"};
    return EntryId{value};
  }

  static bj::object check_object(const Watched& watched) {
    bj::array samples;
    const auto specs = watched.setting.check->specs();
    if (watched.ever_ran && watched.last.outcome)
      for (const auto& sample : *watched.last.outcome) {
        const auto& spec = specs[sample.spec];
        samples.push_back(bj::object{{"name", spec.name},
                                     {"instance", sample.instance},
                                     {"value", sample.value},
                                     {"text", describe_quantity(sample.value, spec.unit)}});
      }
    return {{"name", watched.setting.name},
            {"type", watched.setting.type},
            {"topic", watched.setting.topic},
            {"severity", watched.ever_ran ? std::string{to_string(watched.verdict.severity)}
                                          : std::string{"pending"}},
            {"phase", std::string{to_string(watched.alert.phase)}},
            {"why", watched.verdict.why},
            {"held_back", watched.held_back},
            {"last_run",
             watched.ever_ran ? bj::value(to_rfc3339(watched.last.at.wall)) : bj::value(nullptr)},
            {"took_seconds", std::chrono::duration<double>(watched.last.took).count()},
            {"samples", samples}};
  }

  ApiContext& context_;
};

}  // namespace

void add_state_api(http::Router& router, ApiContext& context) {
  const auto api = std::make_shared<StateApi>(context);
  const auto add = [&](const char* method, const char* pattern, Access access,
                       asio::awaitable<Response> (StateApi::*handler)(Request)) {
    router.add(method, pattern, access,
               [api, handler](Request request) { return ((*api).*handler)(std::move(request)); });
  };
  add("GET", "/api/v1/status", Access::read, &StateApi::status);
  add("GET", "/api/v1/checks", Access::read, &StateApi::checks);
  add("GET", "/api/v1/outbox", Access::read, &StateApi::outbox);
  add("POST", "/api/v1/outbox/{id}/retry", Access::write, &StateApi::retry);
  add("POST", "/api/v1/outbox/{id}/drop", Access::write, &StateApi::drop);
  add("POST", "/api/v1/notify/test", Access::write, &StateApi::notify_test);
}

}  // namespace tocsin::app
