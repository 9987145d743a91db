// The API of incidents: what there is, and what people do about it.
#include <algorithm>
#include <charconv>
#include <memory>

#include <boost/json.hpp>

#include "agent/app/api.hpp"
#include "agent/app/api_body.hpp"
#include "agent/app/drill.hpp"
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

Response incident_response(const Result<Incident>& outcome) {
  if (!outcome) return error_of(outcome.error());
  return json_response(json::incident_object(*outcome));
}

/// The handlers, one method each; registered below.
class IncidentApi {
 public:
  explicit IncidentApi(ApiContext& context) : context_{context} {}

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
    const auto asked = body->text("severity").value_or("");
    const auto severity = asked.empty() ? std::optional{Severity::critical} : parse_severity(asked);
    if (severity != Severity::critical && severity != Severity::warning)
      co_return http::error_response(400, "\"severity\" must be critical or warning");
    const auto& settings = context_.core.pipeline().settings();
    policy::AlertNews news{.check = "by hand",
                           .type = std::string{policy::by_hand_type},
                           .topic = cut_characters(*topic, limits::check_name_characters),
                           .component = body->text("component").value_or(""),
                           .host = context_.core.host(),
                           .severity = *severity,
                           .why = *why + " (opened by " + actor(request, *body) + ")",
                           .since = context_.clock.wall(),
                           .owners = {.sre = settings.incidents.owners.sre,
                                      .developer = settings.incidents.owners.developer}};
    co_return incident_response(context_.core.engine().open_by_hand(std::move(news)));
  }

  asio::awaitable<Response> acknowledge(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    co_return command(request, {policy::Acknowledge{actor(request, *body), "api"}});
  }

  asio::awaitable<Response> fields(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto* values = body->object("fields");
    if (values == nullptr || values->empty())
      co_return http::error_response(400, R"("fields" is needed: {"current_step": "…", …})");
    std::vector<policy::Input> inputs;
    for (const auto& [key, value] : *values) {
      const auto field = parse_summary_field(key);
      if (!field || !value.is_string()) co_return unknown_field(key, value.is_string());
      const std::string_view raw = value.get_string();
      inputs.emplace_back(policy::SetField{
          *field, cut_characters(clean_utf8(raw), limits::timeline_text_characters),
          actor(request, *body)});
    }
    co_return command(request, inputs);
  }

  asio::awaitable<Response> message(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    const auto text = body->text("text");
    if (!text || text->empty()) co_return http::error_response(400, "\"text\" is needed");
    co_return command(request, {policy::Say{*text, actor(request, *body)}});
  }

  asio::awaitable<Response> resolve(Request request) {
    const auto body = Body::parse(request.body);
    if (!body) co_return error_of(body.error());
    co_return command(
        request, {policy::ResolveByHand{actor(request, *body), body->text("why").value_or("")}});
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
    co_return command(request, {close});
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

  Response command(Request& request, const std::vector<policy::Input>& inputs) {
    const auto id = context_.core.engine().find(request.parameters["id"]);
    if (!id) return error_of(id.error());
    return incident_response(context_.core.engine().command(*id, inputs));
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

  ApiContext& context_;
};

}  // namespace

void add_incident_api(http::Router& router, ApiContext& context) {
  const auto api = std::make_shared<IncidentApi>(context);
  const auto add = [&](const char* method, const char* pattern, Access access,
                       asio::awaitable<Response> (IncidentApi::*handler)(Request)) {
    router.add(method, pattern, access,
               [api, handler](Request request) { return ((*api).*handler)(std::move(request)); });
  };
  add("GET", "/api/v1/incidents", Access::read, &IncidentApi::incidents);
  add("POST", "/api/v1/incidents", Access::write, &IncidentApi::open);
  add("GET", "/api/v1/incidents/{id}", Access::read, &IncidentApi::incident);
  add("GET", "/api/v1/incidents/{id}/room", Access::read, &IncidentApi::room);
  add("POST", "/api/v1/incidents/{id}/ack", Access::write, &IncidentApi::acknowledge);
  add("POST", "/api/v1/incidents/{id}/fields", Access::write, &IncidentApi::fields);
  add("POST", "/api/v1/incidents/{id}/messages", Access::write, &IncidentApi::message);
  add("POST", "/api/v1/incidents/{id}/resolve", Access::write, &IncidentApi::resolve);
  add("POST", "/api/v1/incidents/{id}/close", Access::write, &IncidentApi::close);
  add("POST", "/api/v1/drill", Access::write, &IncidentApi::drill);
}

}  // namespace tocsin::app
