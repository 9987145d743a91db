#include "agent/app/api.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "agent/app/drill.hpp"
#include "agent/app/version.hpp"
#include "agent/notify/local_room.hpp"
#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/json/json.hpp"

namespace tocsin::app {

namespace {

namespace bj = boost::json;
using http::Access;
using http::Request;
using http::Response;

constexpr std::size_t listed_incidents_most = 1000;
constexpr std::size_t timeline_lines_most = 5000;
constexpr std::size_t by_characters = 80;

Response json_response(const bj::value& value, int status = 200) {
  return {.status = status, .content_type = "application/json", .body = bj::serialize(value)};
}

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::missing:
      return 404;
    case Errc::refused:
      return 409;
    case Errc::malformed:
    case Errc::too_large:
      return 400;
    case Errc::timed_out:
      return 504;
    case Errc::unreadable:
    case Errc::unresolved:
    case Errc::unreachable:
    case Errc::tls:
    case Errc::disconnected:
    case Errc::protocol:
    case Errc::cancelled:
    case Errc::stuck:
    case Errc::unsupported:
    case Errc::internal:
      return 500;
  }
  return 500;
}

Response error_of(const Error& error) {
  return http::error_response(status_of(error), error.detail);
}

/// A body that must be a JSON object of texts and objects, read with sentences for what is wrong.
class Body {
 public:
  static Result<Body> parse(const std::string& text) {
    boost::system::error_code fault;
    auto value = bj::parse(text.empty() ? std::string_view{"{}"} : std::string_view{text}, fault);
    if (fault || !value.is_object())
      return Error{Errc::malformed, "the body must be a JSON object" +
                                        (fault ? ": " + fault.message() : std::string{})};
    return Body{std::move(value.get_object())};
  }

  /// The text of a member; "" when absent.
  Result<std::string> text(std::string_view key) const {
    const auto at = object_.find(key);
    if (at == object_.end() || at->value().is_null()) return std::string{};
    if (!at->value().is_string())
      return Error{Errc::malformed, "\"" + std::string{key} + "\" must be text"};
    const std::string_view raw = at->value().get_string();
    return cut_characters(clean_utf8(raw), limits::timeline_text_characters);
  }
  const bj::object* object(std::string_view key) const {
    const auto at = object_.find(key);
    return at == object_.end() || !at->value().is_object() ? nullptr : &at->value().get_object();
  }

 private:
  explicit Body(bj::object object) : object_{std::move(object)} {}
  bj::object object_;
};

/// Who acts: what the request says, else whom the connection belongs to.
std::string actor(const Request& request, const Body& body) {
  auto by = body.text("by").value_or("");
  if (by.empty()) by = request.user.empty() ? "somebody" : request.user;
  return cut_characters(by, by_characters);
}

Response incident_response(const Result<Incident>& outcome) {
  if (!outcome) return error_of(outcome.error());
  return json_response(json::incident_object(*outcome));
}

/// The handlers, one method each; registered below.
class Api {
 public:
  explicit Api(ApiContext& context) : context_{context} {}

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

  asio::awaitable<Response> incidents(Request request) {
    const auto all = request.query["all"] == "true";
    std::vector<Incident> found;
    if (all) {
      auto stored = co_await context_.core.journal().incidents(listed_incidents_most);
      if (stored) found = std::move(*stored);
    }
    const auto& live = context_.core.engine().incidents();
    if (found.empty())
      for (const auto& [id, incident] : live)
        if (all || is_unclosed(incident.state)) found.push_back(incident);
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.opened_at > b.opened_at; });
    bj::array out;
    for (const auto& incident : found) {
      // What is in memory is newer than what has been written.
      const auto at = live.find(incident.id);
      out.push_back(json::incident_object(at == live.end() ? incident : at->second));
    }
    co_return json_response(out);
  }

  asio::awaitable<Response> incident(Request request) {
    const auto found = co_await find(request.parameters["id"]);
    if (!found) co_return error_of(found.error());
    const auto lines = co_await context_.core.journal().timeline(found->id, timeline_lines_most);
    co_return json_response(
        json::incident_detail_object(*found, lines ? *lines : std::vector<TimelineLine>{}));
  }

  asio::awaitable<Response> room(Request request) {
    const auto found = co_await find(request.parameters["id"]);
    if (!found) co_return error_of(found.error());
    const auto lines = co_await context_.core.journal().timeline(found->id, timeline_lines_most);
    std::size_t width{100};
    const auto& asked = request.query["width"];
    std::from_chars(asked.data(), asked.data() + asked.size(), width);
    const auto account = lines ? *lines : std::vector<TimelineLine>{};
    const notify::RoomView view{.incident = *found,
                                .timeline = account,
                                .topic = policy::channel_topic(*found),
                                .zone = context_.core.pipeline().settings().timezone,
                                .now = context_.clock.wall(),
                                .columns = std::clamp<std::size_t>(width, 40, 400),
                                .color = request.query["colour"] == "true"};
    const auto text = notify::render_room(view);
    co_return json_response(bj::object{{"text", text}});
  }

  asio::awaitable<Response> open(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto topic = body->text("topic");
    const auto why = body->text("why");
    if (!topic || !why || topic->empty() || why->empty())
      co_return http::error_response(
          400, "\"topic\" and \"why\" are needed: what it is about, and what is wrong");
    const auto severity =
        parse_severity(body->text("severity").value_or("critical")).value_or(Severity::critical);
    const auto& settings = context_.core.pipeline().settings();
    policy::AlertNews news{.check = "by hand",
                           .type = std::string{policy::by_hand_type},
                           .topic = *topic,
                           .component = body->text("component").value_or(""),
                           .host = context_.core.host(),
                           .severity = severity == Severity::ok ? Severity::critical : severity,
                           .why = *why + " (opened by " + actor(request, *body) + ")",
                           .since = context_.clock.wall(),
                           .owners = {.sre = settings.incidents.owners.sre,
                                      .developer = settings.incidents.owners.developer}};
    co_return incident_response(context_.core.engine().open_by_hand(std::move(news)));
  }

  asio::awaitable<Response> acknowledge(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    co_return command(request, policy::Acknowledge{actor(request, *body), "api"});
  }

  asio::awaitable<Response> fields(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto* values = body->object("fields");
    if (values == nullptr || values->empty())
      co_return http::error_response(400, R"("fields" is needed: {"current_step": "…", …})");
    std::vector<policy::SetField> inputs;
    for (const auto& [key, value] : *values) {
      const auto field = parse_summary_field(key);
      if (!field || !value.is_string()) co_return unknown_field(key, value.is_string());
      const std::string_view raw = value.get_string();
      inputs.push_back({*field, cut_characters(clean_utf8(raw), limits::timeline_text_characters),
                        actor(request, *body)});
    }
    Response last{};
    for (const auto& input : inputs) last = command(request, input);
    co_return last;
  }

  asio::awaitable<Response> message(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto text = body->text("text");
    if (!text || text->empty()) co_return http::error_response(400, "\"text\" is needed");
    co_return command(request, policy::Say{*text, actor(request, *body)});
  }

  asio::awaitable<Response> resolve(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    co_return command(request,
                      policy::ResolveByHand{actor(request, *body), body->text("why").value_or("")});
  }

  asio::awaitable<Response> close(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    policy::Close close{.by = actor(request, *body),
                        .root_cause = body->text("root_cause").value_or(""),
                        .fix = body->text("fix").value_or(""),
                        .waive_why = body->text("waive").value_or("")};
    const auto archive_after = body->text("archive_after").value_or("");
    if (!archive_after.empty()) {
      const auto notice = parse_duration(archive_after);
      if (!notice) co_return error_of({Errc::malformed, "archive_after: " + notice.error().detail});
      close.archive_after = *notice;
    }
    co_return command(request, close);
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

  asio::awaitable<Response> drill(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto duration = parse_duration(body->text("for").value_or("20s"));
    if (!duration) co_return error_of({Errc::malformed, "for: " + duration.error().detail});
    // Named before it is awaited: g++ 12 frees a braced temporary of an awaiting expression twice.
    DrillRequest wanted{.check = body->text("check").value_or(""), .lasts = *duration};
    auto drill = start_drill(context_.core, context_.clock, std::move(wanted));
    const auto outcome = co_await std::move(drill);
    co_return incident_response(outcome);
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
  asio::awaitable<Result<Incident>> find(std::string text) {
    auto& engine = context_.core.engine();
    const auto id = engine.find(text);
    if (id) co_return engine.incidents().at(*id);
    // Not in memory: it may be an old one that the store still has.
    auto stored = co_await context_.core.journal().incidents(listed_incidents_most);
    if (stored)
      for (auto& incident : *stored)
        if (incident.id.value == text || incident.channel.name == text)
          co_return std::move(incident);
    co_return id.error();
  }

  Response command(Request& request, const policy::Input& input) {
    const auto id = context_.core.engine().find(request.parameters["id"]);
    if (!id) return error_of(id.error());
    return incident_response(context_.core.engine().command(*id, input));
  }

  static Response unknown_field(std::string_view key, bool is_text) {
    if (!is_text)
      return http::error_response(400, "field \"" + std::string{key} + "\" must be text");
    std::vector<std::string_view> known;
    for (const auto& name : summary_field_names()) known.push_back(name.key);
    const auto near = nearest(key, known);
    return http::error_response(
        400, "no summary field \"" + std::string{key} + "\"" +
                 (near.empty() ? std::string{} : "; did you mean \"" + std::string{near} + "\"?"));
  }

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

void add_api(http::Router& router, ApiContext& context) {
  const auto api = std::make_shared<Api>(context);
  const auto add = [&](const char* method, const char* pattern, Access access,
                       asio::awaitable<Response> (Api::*handler)(Request)) {
    router.add(method, pattern, access,
               [api, handler](Request request) { return ((*api).*handler)(std::move(request)); });
  };
  add("GET", "/api/v1/status", Access::read, &Api::status);
  add("GET", "/api/v1/checks", Access::read, &Api::checks);
  add("GET", "/api/v1/incidents", Access::read, &Api::incidents);
  add("POST", "/api/v1/incidents", Access::write, &Api::open);
  add("GET", "/api/v1/incidents/{id}", Access::read, &Api::incident);
  add("GET", "/api/v1/incidents/{id}/room", Access::read, &Api::room);
  add("POST", "/api/v1/incidents/{id}/ack", Access::write, &Api::acknowledge);
  add("POST", "/api/v1/incidents/{id}/fields", Access::write, &Api::fields);
  add("POST", "/api/v1/incidents/{id}/messages", Access::write, &Api::message);
  add("POST", "/api/v1/incidents/{id}/resolve", Access::write, &Api::resolve);
  add("POST", "/api/v1/incidents/{id}/close", Access::write, &Api::close);
  add("GET", "/api/v1/outbox", Access::read, &Api::outbox);
  add("POST", "/api/v1/outbox/{id}/retry", Access::write, &Api::retry);
  add("POST", "/api/v1/outbox/{id}/drop", Access::write, &Api::drop);
  add("POST", "/api/v1/drill", Access::write, &Api::drill);
  add("POST", "/api/v1/notify/test", Access::write, &Api::notify_test);
}

}  // namespace tocsin::app
