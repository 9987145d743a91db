#include "checks/http.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "checks/json_expectation.hpp"
#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct HttpExpectation {
  std::vector<std::int64_t> status{};
  std::optional<Pattern> body{};
  std::vector<JsonExpectation> json{};
  static constexpr auto fields() {
    using Self = HttpExpectation;
    return std::tuple{field("status", &Self::status, "The statuses that are well; empty: any 2xx."),
                      field("body", &Self::body, "What the body must contain."),
                      field("json", &Self::json, "What the values of a JSON body must be.")};
  }
  friend bool operator==(const HttpExpectation&, const HttpExpectation&) = default;
};

struct HttpParams {
  Url url{};
  std::string unix_socket{};
  std::string method{"GET"};
  std::map<std::string, std::string> headers{};
  std::string body{};
  HttpExpectation expect{};
  TlsParams tls{};
  static constexpr auto fields() {
    using Self = HttpParams;
    return std::tuple{
        required_field("url", &Self::url, "What to ask for. Redirects are not followed."),
        field("unix_socket", &Self::unix_socket, "Connect to this socket instead of the host."),
        field("method", &Self::method, "The request's method."),
        field("headers", &Self::headers, "Headers of the request."),
        field("body", &Self::body, "Body of the request."),
        field("expect", &Self::expect, "What the answer must be."),
        field("tls", &Self::tls, "How the certificate is judged.")};
  }
};

enum : std::uint16_t {
  up,
  resolve_seconds,
  connect_seconds,
  tls_seconds,
  first_byte_seconds,
  total_seconds,
  status,
  certificate_days,
  body_bytes
};

const std::vector<SampleSpec>& http_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when the answer came and is as expected, else 0."},
      {"resolve_seconds", Unit::seconds, "Time to resolve the name."},
      {"connect_seconds", Unit::seconds, "Time to connect."},
      {"tls_seconds", Unit::seconds, "Time of the TLS handshake."},
      {"first_byte_seconds", Unit::seconds, "Time from the request to the answer's first byte."},
      {"total_seconds", Unit::seconds, "Time of the whole."},
      {"status", Unit::none, "The status of the answer."},
      {"certificate_days", Unit::days, "Days until a certificate of its chain ends."},
      {"body_bytes", Unit::bytes, "Size of the body."},
  };
  return specs;
}

class HttpCheck final : public Check {
 public:
  HttpCheck(std::string /*name*/, HttpParams params) : params_{std::move(params)} {
    if (params_.expect.body) body_pattern_.emplace(params_.expect.body->text, RE2::Quiet);
    request_.method = params_.method;
    request_.url = params_.url;
    request_.unix_socket = params_.unix_socket;
    request_.headers.assign(params_.headers.begin(), params_.headers.end());
    request_.body = params_.body;
    request_.tls = params_.tls.options();
  }

  std::span<const SampleSpec> specs() const override { return http_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto request = request_;
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (outcome.failure && says_nothing_of_peer(outcome.failure->error))
      co_return outcome.failure->error;
    answer_.clear();
    failure_ = outcome.failure ? outcome.failure->error.detail : judge(*outcome.response);
    if (!outcome.failure && !failure_.empty() && !outcome.response->body.empty())
      answer_ = quoted_answer(outcome.response->body);
    Samples samples;
    samples.reserve(http_specs().size());
    put(samples, up, failure_.empty() ? 1 : 0);
    const auto& times = outcome.failure ? outcome.failure->times : outcome.response->times;
    put_time(samples, resolve_seconds, times.resolve);
    put_time(samples, connect_seconds, times.connect);
    put_time(samples, tls_seconds, times.tls);
    put_time(samples, first_byte_seconds, times.first_byte);
    put_time(samples, total_seconds, times.total);
    if (outcome.response) put(samples, status, outcome.response->status);
    put_days(samples, certificate_days,
             outcome.failure ? outcome.failure->certificate : outcome.response->certificate,
             context.clock.wall());
    if (outcome.response)
      put(samples, body_bytes, static_cast<double>(outcome.response->body.size()));
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    if (!failure_.empty()) {
      evidence.lines.push_back(failure_);
      evidence.probable_cause = failure_;
    }
    if (!answer_.empty()) evidence.lines.push_back("it answered: " + answer_);
    co_return evidence;
  }

 private:
  bool is_welcome(int answered) const {
    const auto& wanted = params_.expect.status;
    if (wanted.empty()) return answered >= 200 && answered < 300;
    return std::find(wanted.begin(), wanted.end(), answered) != wanted.end();
  }

  std::string place() const {
    return params_.unix_socket.empty() ? to_string(HostPort{params_.url.host, params_.url.port})
                                       : params_.unix_socket;
  }

  /// What is not as expected, or nothing.
  std::string judge(const HttpResponse& response) const {
    if (!is_welcome(response.status)) {
      std::string wanted;
      for (const auto one : params_.expect.status)
        wanted += (wanted.empty() ? "" : ", ") + std::to_string(one);
      return place() + " answered with status " + std::to_string(response.status) + ", expected " +
             (wanted.empty() ? "2xx" : wanted);
    }
    if (body_pattern_ && !RE2::PartialMatch(response.body, *body_pattern_))
      return "the body of " + place() + " does not match /" + params_.expect.body->text + "/";
    if (const auto why = unmet(params_.expect.json, response.body))
      return "the answer of " + place() + " is not as expected: " + *why;
    return {};
  }

  HttpParams params_;
  HttpRequest request_{};
  std::optional<RE2> body_pattern_{};
  std::string failure_{};  ///< Why the last run found it down.
  std::string answer_{};   ///< What it answered then.
};

void judge_params(const HttpParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  for (const auto code : params.expect.status)
    if (code < 100 || code > 599) complain("expect", "a status is a number from 100 to 599");
  for (const auto& wanted : params.expect.json)
    if (!wanted.pointer.empty() && wanted.pointer.front() != '/')
      complain("expect", "a JSON pointer begins with '/', as in /queue/depth");
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (params.method.empty() || !std::all_of(params.method.begin(), params.method.end(), is_letter))
    complain("method", "expected a method in capitals, as GET or POST");
  for (const auto& [name, value] : params.headers)
    if (name.empty() || value.find_first_of("\r\n") != std::string::npos ||
        name.find_first_of(": \r\n") != std::string::npos)
      complain("headers", "the header \"" + cut_characters(clean_utf8(name), 40) +
                              "\" has a character in it that headers may not have");
}

}  // namespace

CheckType http_check() {
  return check_type<HttpParams, HttpCheck>(
      {
          .name = "http",
          .summary =
              "Whether an HTTP service answers as it should, how fast by phase, and how long "
              "its certificate lasts.",
          .samples = http_specs(),
          .default_critical = {"up < 1 for 2 of 3", "certificate_days < 3"},
          .example = "name: shop\n"
                     "type: http\n"
                     "url: https://shop.example.com/health\n"
                     "expect:\n"
                     "  status: [200]\n"
                     "  json:\n"
                     "    - {pointer: /queue/depth, below: 100}\n"
                     "warning: first_byte_seconds > 800ms for 3 of 5\n",
      },
      judge_params);
}

}  // namespace tocsin
