// What jobs say of themselves: POST /beat/{name} and its like.
#include <charconv>

#include <boost/json.hpp>

#include "agent/app/api.hpp"
#include "agent/app/api_body.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::app {

namespace {

namespace bj = boost::json;
using http::Access;
using http::Request;
using http::Response;

/// What the request says of the run: in its query, or in a body that is a JSON object. Any other
/// body is the note.
struct BeatWords {
  std::string run{}, took{}, note{};
};

Result<BeatWords> words_of(Request& request) {
  BeatWords out{.run = request.query["rid"], .took = request.query["took"], .note = {}};
  if (!request.headers["content-type"].starts_with("application/json")) {
    // Its end says what became of it.
    const auto more = request.body.size() - std::min(request.body.size(), limits::beat_note_bytes);
    out.note = request.body.substr(more);
    return out;
  }
  const auto body = Body::parse(request.body);
  if (!body) return body.error();
  for (auto [key, into] : {std::pair{"rid", &out.run}, {"took", &out.took}, {"note", &out.note}}) {
    auto text = body->text(key);
    if (!text) return text.error();
    if (into->empty()) *into = *std::move(text);
  }
  return out;
}

Result<int> exit_code_of(const std::string& text) {
  int code = -1;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (fault == std::errc{} && end == text.data() + text.size() && code >= 0 && code <= 255)
    return code;
  return Error{Errc::malformed, "an exit code is a number from 0 to 255"};
}

Result<Beat> beat_of(Request& request, Beat::Kind kind, Now now) {
  Beat beat{.kind = kind, .at = now};
  if (kind == Beat::Kind::exit) {
    const auto code = exit_code_of(request.parameters["code"]);
    if (!code) return code.error();
    beat.exit_code = *code;
  }
  auto words = words_of(request);
  if (!words) return words.error();
  if (words->run.size() > limits::beat_run_id_characters)
    return Error{Errc::too_large,
                 "rid is longer than " + std::to_string(limits::beat_run_id_characters) + " bytes"};
  if (!words->took.empty()) {
    const auto took = parse_duration(words->took);
    if (!took) return Error{Errc::malformed, "took: " + took.error().detail};
    beat.took = *took;
  }
  beat.run = std::move(words->run);
  beat.note = std::move(words->note);
  return beat;
}

/// Answers once the beat is kept: who is told that it came may forget it.
asio::awaitable<Response> take_beat(ApiContext& context, Beat::Kind kind, Request request) {
  const auto name = request.parameters["name"];
  const auto beat = beat_of(request, kind, context.clock.now());
  if (!beat) co_return error_of(beat.error());
  const auto taken = context.core.beat(name, *beat);
  if (!taken) co_return error_of(taken.error());
  auto flushing = context.core.journal().flush();
  co_await std::move(flushing);
  co_return json_response(
      bj::object{{"check", name}, {"durable", context.core.journal().durable()}});
}

}  // namespace

void add_beat_api(http::Router& router, ApiContext& context) {
  const auto add = [&](const char* pattern, Beat::Kind kind) {
    router.add("POST", pattern, Access::write, [&context, kind](Request request) {
      return take_beat(context, kind, std::move(request));
    });
  };
  add("/beat/{name}", Beat::Kind::ok);
  add("/beat/{name}/start", Beat::Kind::start);
  add("/beat/{name}/ok", Beat::Kind::ok);
  add("/beat/{name}/fail", Beat::Kind::fail);
  add("/beat/{name}/log", Beat::Kind::log);
  add("/beat/{name}/exit/{code}", Beat::Kind::exit);
}

}  // namespace tocsin::app
