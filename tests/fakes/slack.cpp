#include "tests/fakes/slack.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "tests/fakes/slack_methods.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::fakes {
namespace {

namespace json = boost::json;
using slack::accept;
using slack::refuse;
using slack::Tier;
using Arguments = std::map<std::string, std::string>;

constexpr std::string_view api_root = "/api/";
constexpr double posts_per_minute = 60;  // About one a second in each channel.
constexpr double post_burst = 5;         // "Short bursts" are tolerated; how short is not said.

HttpReply reply(int status, const json::object& body) {
  return {status, {{"content-type", "application/json; charset=utf-8"}}, json::serialize(body)};
}

HttpReply rate_limited(Duration wait) {
  auto answer = reply(429, refuse("ratelimited"));
  answer.headers.push_back(retry_after_header(wait));
  return answer;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string form_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool coded = text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
                       hex_digit(text[at + 2]) >= 0;
    if (coded) {
      out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
  return out;
}

void read_form(std::string_view text, Arguments& into) {
  for (const auto pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    into[form_decoded(pair.substr(0, equals))] = form_decoded(value);
  }
}

bool read_json(std::string_view text, Arguments& into) {
  boost::system::error_code problem;
  const auto parsed = json::parse(text.empty() ? "{}" : text, problem);
  if (problem || !parsed.is_object()) return false;
  for (const auto& [key, value] : parsed.get_object()) {
    if (key == "token") continue;  // A token in a JSON body is not read.
    into[std::string{key}] = value.is_string() ? std::string{std::string_view{value.get_string()}}
                                               : json::serialize(value);
  }
  return true;
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What came with the call: its arguments, or the refusal of their encoding.
struct Request {
  Arguments arguments{};
  std::string token{};
  json::object refusal{};
  bool charset_missing{false};
};

Request read(const HttpCall& call, const slack::Method& method) {
  Request request{};
  read_form(call.query(), request.arguments);
  const auto type = call.header("content-type");
  if (call.method == "POST" && holds(type, "application/json")) {
    if (!method.takes_json) {
      request.refusal = refuse("invalid_post_type");
    } else if (!read_json(call.body, request.arguments)) {
      request.refusal = refuse("invalid_json");
    }
    request.charset_missing = !holds(type, "charset");
  } else if (call.method == "POST" && (holds(type, "x-www-form-urlencoded") || call.body.empty())) {
    read_form(call.body, request.arguments);
  } else if (call.method == "POST") {
    request.refusal = refuse(type.empty() ? "missing_post_type" : "invalid_post_type");
  }
  const auto authorization = call.header("authorization");
  if (starts_with(authorization, "Bearer ")) {
    request.token = trim(authorization.substr(7));
  } else if (const auto found = request.arguments.find("token"); found != request.arguments.end()) {
    request.token = found->second;
  }
  return request;
}

std::string joined(const std::set<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ","));
}

json::object fault_of_token(const SlackToken* token, const Request& request,
                            const slack::Method& method) {
  if (request.token.empty()) return refuse("not_authed");
  if (token == nullptr) return refuse("invalid_auth");
  if (token->revoked) return refuse("token_revoked");
  const bool app_level = token->user.empty();
  if (app_level != (method.name == "apps.connections.open"))
    return refuse("not_allowed_token_type");
  if (token->scopes.empty() || method.scopes.empty()) return {};
  const auto granted = [&](std::string_view scope) {
    return token->scopes.contains(std::string{scope});
  };
  if (std::any_of(method.scopes.begin(), method.scopes.end(), granted)) return {};
  auto answer = refuse("missing_scope");
  answer["needed"] = method.scopes.front();
  answer["provided"] = joined(token->scopes);
  return answer;
}

json::object fault_of_arguments(const Request& request, const slack::Method& method) {
  for (const auto name : method.required) {
    if (request.arguments.contains(std::string{name})) continue;
    return refuse("invalid_arguments", fmt::format("[ERROR] missing required field: {}", name));
  }
  return {};
}

// Calls a minute. auth.test and chat.getPermalink allow "hundreds".
double per_minute(Tier tier) {
  switch (tier) {
    case Tier::tier1:
      return 1;
    case Tier::tier2:
      return 20;
    case Tier::tier3:
      return 50;
    case Tier::tier4:
      return 100;
    case Tier::special:
      return 300;
  }
  return 1;
}

}  // namespace

FakeSlack::FakeSlack(TimeSource now, Options options) : now_{std::move(now)}, options_{options} {
  auto& w = workspace_;
  w.users = {{.id = std::string{bot_user}, .name = "tocsin", .bot = true},
             {.id = "U0JANE", .name = "jane", .email = "jane@example.com"},
             {.id = "U0OMAR", .name = "omar", .email = "omar@example.com"},
             {.id = "U0LI", .name = "li", .email = "li@example.com"},
             {.id = "U0KIM", .name = "kim", .email = "kim@example.com", .deactivated = true}};
  w.groups = {
      {.id = "S0SRE", .handle = "sre", .name = "Site reliability", .users = {"U0JANE", "U0OMAR"}},
      {.id = "S0PLATFORM", .handle = "platform", .name = "Platform", .users = {"U0LI"}}};
  w.tokens = {{.token = std::string{bot_token}, .user = std::string{bot_user}},
              {.token = std::string{user_token}, .user = "U0JANE"},
              {.token = "xapp-fake-app-token"}};
  const auto born = unix_seconds(now_().wall);
  w.channels = {{.id = "C0GENERAL",
                 .name = "general",
                 .creator = "U0JANE",
                 .created = born,
                 .general = true,
                 .members = {"U0JANE", "U0OMAR", "U0LI"}},
                {.id = "C0SRE",
                 .name = "sre",
                 .creator = "U0JANE",
                 .created = born,
                 .members = {"U0JANE", "U0OMAR", std::string{bot_user}}}};
}

std::string FakeSlack::operation(const HttpCall& call) const {
  const auto path = call.path();
  return std::string{starts_with(path, api_root) ? path.substr(api_root.size()) : path};
}

HttpReply FakeSlack::failing(const Fault& fault) const {
  const auto code = fault.error.empty()
                        ? std::string{fault.status == 429 ? "ratelimited" : "internal_error"}
                        : fault.error;
  const bool logical = fault.kind == Fault::Kind::error ||
                       (fault.kind == Fault::Kind::late_error && !fault.error.empty());
  auto answer = reply(logical ? 200 : fault.status, refuse(code));
  if (fault.retry_after) answer.headers.push_back(retry_after_header(*fault.retry_after));
  return answer;
}

HttpReply FakeSlack::handle(const HttpCall& call) {
  if (!starts_with(call.path(), api_root))
    return {404, {{"content-type", "text/html"}}, "<p>Not found"};
  const auto* method = slack::find_method(operation(call));
  if (method == nullptr) {
    auto body = refuse("unknown_method");
    body["req_method"] = operation(call);
    return reply(200, body);
  }
  auto request = read(call, *method);
  const auto* token = workspace_.token(request.token);
  if (auto fault = fault_of_token(token, request, *method); !fault.empty())
    return reply(200, fault);
  if (options_.rate_limits) {
    const double rate = per_minute(method->tier);
    if (const auto wait = throttled(std::string{method->name}, rate, rate))
      return rate_limited(*wait);
    if (method->name == "chat.postMessage") {
      const auto wait =
          throttled("in " + request.arguments["channel"], posts_per_minute, post_burst);
      if (wait) return rate_limited(*wait);
    }
  }
  if (!request.refusal.empty()) return reply(200, request.refusal);
  if (auto fault = fault_of_arguments(request, *method); !fault.empty()) return reply(200, fault);

  const slack::Rules rules{.may_create = options_.may_create, .page_most = options_.page_most};
  const auto* speaker = workspace_.user(token->user);
  slack::Call inner{.workspace = workspace_,
                    .rules = rules,
                    .arguments = std::move(request.arguments),
                    .user = token->user,
                    .bot = speaker != nullptr && speaker->bot,
                    .may_post_anywhere = token->scopes.contains("chat:write.public"),
                    .now = now_().wall};
  auto body = method->run(inner);
  if (request.charset_missing) slack::warn(body, "missing_charset");
  auto answer = reply(200, body);
  answer.headers.emplace_back("x-oauth-scopes", joined(token->scopes));
  answer.headers.emplace_back("x-slack-req-id", fmt::format("fake-{}", ++requests_));
  return answer;
}

const SlackChannel* FakeSlack::channel(std::string_view name) const {
  return const_cast<SlackWorkspace&>(workspace_).channel_named(name);
}

std::string FakeSlack::say(std::string_view channel_name, std::string_view user, std::string text) {
  auto* channel = workspace_.channel_named(channel_name);
  if (channel == nullptr) return {};
  SlackMessage made{};
  made.ts = workspace_.new_ts(now_().wall);
  made.user = user;
  made.text = std::move(text);
  channel->messages.push_back(std::move(made));
  return channel->messages.back().ts;
}

std::optional<Duration> FakeSlack::throttled(const std::string& key, double rate, double burst) {
  const auto now = now_().steady;
  const auto [entry, fresh] = buckets_.try_emplace(key, Bucket{burst, now});
  auto& bucket = entry->second;
  const double elapsed = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(burst, bucket.tokens + elapsed * rate / 60);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double seconds = std::ceil((1 - bucket.tokens) * 60 / rate);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace tocsin::fakes
