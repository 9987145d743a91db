#include "agent/notify/slack_api.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "agent/notify/wire.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t code_characters = 80;
constexpr std::size_t detail_characters = 300;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::string_view name_of(const SlackCall& call) { return facts_of(call.method).name; }

/// What Slack adds to the code: which argument is wrong, which scope is missing.
std::string detail_of(const json::object& body) {
  if (const auto needed = text_at(body, {"needed"}); !needed.empty()) {
    return "the token needs the scope " + needed;
  }
  const auto* metadata = object_at(body, "response_metadata");
  const auto* messages = metadata ? array_at(*metadata, "messages") : nullptr;
  if (!messages || messages->empty() || !messages->front().is_string()) return {};
  return std::string{messages->front().as_string()};
}

}  // namespace

std::string encode_form(const std::vector<std::pair<std::string, std::string>>& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out += '&';
    append_encoded(out, name);
    out += '=';
    append_encoded(out, value);
  }
  return out;
}

std::string text_at(const json::object& body, std::initializer_list<std::string_view> path) {
  const json::object* here = &body;
  const json::value* found = nullptr;
  for (const auto name : path) {
    if (!here) return {};
    found = here->if_contains(name);
    if (!found) return {};
    here = found->if_object();
  }
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string{*text} : std::string{};
}

const json::array* array_at(const json::object& body, std::string_view name) {
  const auto* found = body.if_contains(name);
  return found ? found->if_array() : nullptr;
}

const json::object* object_at(const json::object& body, std::string_view name) {
  const auto* found = body.if_contains(name);
  return found ? found->if_object() : nullptr;
}

bool flag_at(const json::object& body, std::string_view name) {
  const auto* found = body.if_contains(name);
  const auto* flag = found ? found->if_bool() : nullptr;
  return flag && *flag;
}

std::int64_t number_at(const json::object& body, std::string_view name) {
  const auto* found = body.if_contains(name);
  if (!found || !found->is_number()) return 0;
  boost::system::error_code problem;
  const auto number = found->to_number<std::int64_t>(problem);
  return problem ? 0 : number;
}

std::string next_cursor(const json::object& body) {
  return text_at(body, {"response_metadata", "next_cursor"});
}

Delivery delivery_of(const SlackAnswer& answer) {
  switch (answer.kind) {
    case SlackClass::ok:
    case SlackClass::already:
      return Delivered{};
    case SlackClass::rate:
    case SlackClass::unavailable:
      return Retry{answer.why, answer.no_sooner, false, true};
    case SlackClass::held:
      return Retry{answer.why, answer.no_sooner, false, false};
    case SlackClass::unclear:
      return Retry{answer.why, answer.no_sooner, true, true};
    case SlackClass::ours:
    case SlackClass::scope:
      return Halt{answer.why};
    case SlackClass::name_taken:
    case SlackClass::forbidden:
    case SlackClass::unfit:
    case SlackClass::channel_gone:
    case SlackClass::not_member:
    case SlackClass::message_gone:
    case SlackClass::refused:
      return Rejected{answer.why};
  }
  check_that(false, "an answer without a class");
  return Rejected{answer.why};
}

SlackApi::SlackApi(Network& network, Clock& clock, SlackOptions options)
    : network_{network}, clock_{clock}, options_{std::move(options)} {
  options_.token = trimmed(options_.token);
}

HttpRequest SlackApi::request_for(const SlackCall& call, SteadyTime deadline) const {
  HttpRequest request;
  request.method = "POST";
  request.url = options_.api_url;
  if (!request.url.target.ends_with('/')) request.url.target += '/';
  request.url.target += name_of(call);
  request.headers = {{"Authorization", "Bearer " + options_.token.reveal()},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"User-Agent", "tocsin"}};
  request.body = encode_form(call.form);
  request.deadline = deadline;
  request.response_bytes_max = call.response_bytes_max;
  request.reuse = Reuse::keep_alive;
  request.through_proxy = true;
  request.last_good_address = true;
  return request;
}

asio::awaitable<SlackAnswer> SlackApi::call(SlackCall call, SteadyTime deadline) {
  for (;;) {
    const auto now = clock_.steady();
    const auto ready = pace_.ready_at(call.method, call.channel);
    if (ready <= now && now < deadline) break;
    if (ready > now + pace_patience || ready >= deadline || now >= deadline) {
      SlackAnswer held;
      held.kind = SlackClass::held;
      held.why = {Errc::timed_out, fmt::format("Slack {}: not sent, to stay within Slack's rate "
                                               "limit; it goes as soon as that allows",
                                               name_of(call))};
      held.no_sooner = std::max(ready - now, Duration{0});
      if (ready <= now) held.no_sooner.reset();
      co_return held;
    }
    co_await clock_.sleep_until(ready);
  }
  pace_.spend(call.method, call.channel, clock_.steady());
  auto request = request_for(call, deadline);
  auto pending = network_.http(std::move(request));
  const auto outcome = co_await std::move(pending);
  co_return read(call, outcome);
}

SlackAnswer SlackApi::read(const SlackCall& call, const HttpOutcome& outcome) {
  SlackAnswer answer;
  if (outcome.failure) {
    answer = read_failure(call, *outcome.failure);
  } else if (!outcome.response) {
    answer.kind = SlackClass::unclear;
    answer.why = {Errc::internal, fmt::format("Slack {}: no outcome", name_of(call))};
  } else if (outcome.response->status != 200) {
    answer = read_status(call, *outcome.response);
  } else {
    answer = read_envelope(call, *outcome.response);
  }
  if (answer.kind == SlackClass::rate && answer.no_sooner) {
    pace_.pause(call.method, call.channel, clock_.steady(), *answer.no_sooner);
  }
  return answer;
}

SlackAnswer SlackApi::read_failure(const SlackCall& call, const HttpFailure& failure) const {
  SlackAnswer answer;
  const auto said = quoted(failure.error.detail, {options_.token}, detail_characters);
  answer.why = {failure.error.code, fmt::format("Slack {}: {}", name_of(call), said)};
  switch (classify(failure)) {
    case FailureClass::not_carried_out:
      answer.kind = SlackClass::unavailable;
      break;
    case FailureClass::perhaps:
      answer.kind = SlackClass::unclear;
      break;
    case FailureClass::ours:
      answer.kind = SlackClass::ours;
      answer.why.detail += "; check TLS, the proxy and slack.api_url";
      break;
  }
  return answer;
}

SlackAnswer SlackApi::read_status(const SlackCall& call, const HttpResponse& response) const {
  SlackAnswer answer;
  answer.kind = classify_slack_status(response.status);
  auto sentence = fmt::format("Slack {}: answered HTTP {}", name_of(call), response.status);
  if (answer.kind == SlackClass::rate) {
    answer.no_sooner = retry_after(response);
    sentence += ", too many calls";
  } else if (answer.kind == SlackClass::ours) {
    sentence += "; check slack.token, slack.api_url and the proxy";
  } else if (response.status < 500) {
    sentence += ", which Slack itself does not use; check slack.api_url and the proxy";
  }
  if (response.status == 503) answer.no_sooner = retry_after(response);
  answer.why = {Errc::protocol, std::move(sentence)};
  return answer;
}

SlackAnswer SlackApi::read_envelope(const SlackCall& call, const HttpResponse& response) const {
  SlackAnswer answer;
  boost::system::error_code problem;
  auto parsed = json::parse(response.body, problem);
  const auto* envelope = problem ? nullptr : parsed.if_object();
  const auto* ok = envelope ? envelope->if_contains("ok") : nullptr;
  if (!ok || !ok->is_bool()) {
    // Slack serves pages instead of JSON when it is in trouble: the call may have been carried out.
    answer.kind = SlackClass::unclear;
    answer.why = {Errc::protocol,
                  fmt::format("Slack {}: the answer is not Slack's ({} bytes that are "
                              "no envelope)",
                              name_of(call), response.body.size())};
    return answer;
  }
  answer.body = std::move(parsed.as_object());
  if (flag_at(answer.body, "ok")) return answer;
  const auto code = text_at(answer.body, {"error"});
  answer.kind = classify_slack_code(code);
  answer.code = quoted(code.empty() ? "no error code" : code, {options_.token}, code_characters);
  const auto detail = quoted(detail_of(answer.body), {options_.token}, detail_characters);
  answer.why = {Errc::refused,
                fmt::format("Slack {}: {}{}{}{}", name_of(call), answer.code,
                            detail.empty() ? "" : " (", detail, detail.empty() ? "" : ")")};
  if (answer.kind == SlackClass::rate) answer.no_sooner = retry_after(response);
  return answer;
}

asio::awaitable<SlackAnswer> SlackApi::call_as_member(SlackCall call, std::string channel,
                                                      SteadyTime deadline) {
  auto first = this->call(call, deadline);
  auto answer = co_await std::move(first);
  if (answer.kind != SlackClass::not_member) co_return answer;
  SlackCall join;
  join.method = SlackMethod::conversations_join;
  join.form.emplace_back("channel", channel);
  auto joining = this->call(std::move(join), deadline);
  const auto joined = co_await std::move(joining);
  if (!joined.done()) {
    // A private or archived channel: what could not be done matters more than why joining failed,
    // unless joining may yet work.
    const bool may_yet = joined.kind == SlackClass::rate || joined.kind == SlackClass::held ||
                         joined.kind == SlackClass::unavailable ||
                         joined.kind == SlackClass::unclear;
    if (may_yet || joined.kind == SlackClass::ours) co_return joined;
    if (joined.kind == SlackClass::channel_gone) co_return joined;
    answer.why.detail += "; joining failed: " + joined.why.detail;
    co_return answer;
  }
  auto second = this->call(std::move(call), deadline);
  co_return co_await std::move(second);
}

asio::awaitable<SlackAnswer> SlackApi::identify(SteadyTime deadline) {
  if (identity_) co_return SlackAnswer{};
  SlackCall question;
  question.method = SlackMethod::auth_test;
  auto pending = call(std::move(question), deadline);
  auto answer = co_await std::move(pending);
  if (answer.ok()) {
    identity_ = SlackIdentity{text_at(answer.body, {"user_id"}), text_at(answer.body, {"user"}),
                              text_at(answer.body, {"team"}), text_at(answer.body, {"url"})};
  }
  co_return answer;
}

}  // namespace tocsin::notify
