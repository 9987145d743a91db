#include "checks/prometheus.hpp"

#include <algorithm>
#include <utility>

#include "checks/http_access.hpp"
#include "checks/prometheus_reply.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

constexpr std::size_t query_characters_max = 160;
constexpr std::size_t values_in_evidence = 5;
/// Far above what people write, and below what servers take as a form.
constexpr std::size_t query_bytes_max = 64u << 10;

struct PrometheusParams : HttpAccess {
  std::string query{};
  static constexpr auto fields() {
    using Self = PrometheusParams;
    return std::tuple_cat(
        access_fields("The Prometheus (or Thanos, Mimir, VictoriaMetrics), as http://prom:9090; "
                      "with its path prefix, if it has one."),
        std::tuple{required_field("query", &Self::query,
                                  "PromQL that gives numbers at one instant, such as "
                                  "sum(rate(errors_total[5m])).")});
  }
};

enum : std::uint16_t { up, value, series, warnings };

const std::vector<SampleSpec>& prometheus_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none,
       "1: Prometheus answered. When it does not, or gives nothing, the check is unknown: silence "
       "is not taken for a low value."},
      {"value", Unit::none, "What the query gives; one per series.", "series"},
      {"series", Unit::none, "How many series it gives."},
      {"warnings", Unit::none,
       "How many warnings came along: part of the data may be missing, or the query is doubtful."},
  };
  return specs;
}

class PrometheusCheck final : public Check {
 public:
  PrometheusCheck(std::string /*name*/, PrometheusParams params)
      : params_{std::move(params)}, request_{request_below(params_, "/api/v1/query")} {
    request_.method = "POST";
    request_.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    request_.body = "query=" + percent_encoded(params_.query);
  }

  std::span<const SampleSpec> specs() const override { return prometheus_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto request = request_;
    request.deadline = reply_by(context);
    // So that Prometheus gives up when we do.
    using Milliseconds = std::chrono::milliseconds;
    const auto left =
        std::chrono::duration_cast<Milliseconds>(request.deadline - context.clock.steady());
    request.body += "&timeout=" + std::to_string(std::max<long>(left.count(), 1)) + "ms";
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    reply_ = {};
    if (outcome.failure) co_return outcome.failure->error;
    auto answer = judge(*outcome.response);
    if (!answer) co_return answer.error();
    reply_ = *std::move(answer);
    co_return samples();
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    evidence.lines.push_back("asked " + place_of(params_) + " for " + query_in_words());
    auto highest = reply_.values;
    std::stable_sort(highest.begin(), highest.end(),
                     [](const auto& a, const auto& b) { return a.value > b.value; });
    const auto shown = std::min(highest.size(), values_in_evidence);
    for (std::size_t i = 0; i < shown; ++i)
      evidence.lines.push_back(describe_number(highest[i].value, 6) +
                               (highest[i].labels.empty() ? "" : " for " + highest[i].labels));
    if (highest.size() > shown)
      evidence.lines.push_back("and " + std::to_string(highest.size() - shown) +
                               " lower ones, down to " + describe_number(highest.back().value, 6));
    if (reply_.not_numbers > 0)
      evidence.lines.push_back(std::to_string(reply_.not_numbers) +
                               " series are NaN and were left out");
    for (const auto& warning : reply_.warnings)
      evidence.lines.push_back("Prometheus warns: " + warning);
    co_return evidence;
  }

 private:
  std::string query_in_words() const {
    return "`" + cut_characters(clean_utf8(trim(params_.query)), query_characters_max) + "`";
  }

  Result<PrometheusReply> judge(const HttpResponse& response) const {
    auto reply = parse_prometheus_reply(response.body);
    if (!reply) return fault(reply.error(), response);
    // A proxy may put a body of its own below any status.
    if (auto why = refusal(params_, response); !why.empty())
      return Error{Errc::refused, std::move(why)};
    const auto also =
        reply->warnings.empty() ? std::string{} : "; it warns: " + reply->warnings.front();
    if (!reply->values.empty()) return reply;
    if (reply->not_numbers > 0)
      return Error{Errc::missing,
                   "the query gave NaN: " + query_in_words() + " on " + place_of(params_) + also};
    return Error{Errc::missing,
                 "the query gave nothing: " + query_in_words() + " on " + place_of(params_) + also};
  }

  Error fault(const Error& error, const HttpResponse& response) const {
    const auto place = place_of(params_);
    switch (error.code) {
      case Errc::refused:
        return {Errc::refused, place + " refused the query " + query_in_words() + " (status " +
                                   std::to_string(response.status) + "): " + error.detail};
      case Errc::unsupported:
      case Errc::too_large:
        return {error.code, "the query " + query_in_words() + " on " + place +
                                " is of no use here: " + error.detail};
      case Errc::malformed:
      case Errc::missing:
      case Errc::unreadable:
      case Errc::timed_out:
      case Errc::unresolved:
      case Errc::unreachable:
      case Errc::tls:
      case Errc::disconnected:
      case Errc::protocol:
      case Errc::cancelled:
      case Errc::stuck:
      case Errc::internal:
        break;
    }
    if (auto why = refusal(params_, response); !why.empty()) return {Errc::refused, std::move(why)};
    return {Errc::protocol, "the answer of " + place + " " + error.detail};
  }

  Samples samples() const {
    Samples samples;
    samples.reserve(reply_.values.size() + 3);
    put(samples, up, 1);
    for (const auto& one : reply_.values) put(samples, value, one.value, one.labels);
    put(samples, series, static_cast<double>(reply_.values.size()));
    put(samples, warnings, static_cast<double>(reply_.warnings.size()));
    return samples;
  }

  PrometheusParams params_;
  HttpRequest request_;
  PrometheusReply reply_{};  ///< Of the last run; empty when it failed.
};

void judge_params(const PrometheusParams& params, const Node& map, Decoding& decoding) {
  judge_access(params, map, decoding);
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (trim(params.query).empty()) complain("query", "expected an expression in PromQL");
  if (params.query.size() > query_bytes_max) complain("query", "the query is longer than 64 KiB");
  if (params.url.target.find("/api/v1") != std::string::npos)
    complain("url", "leave /api/v1 and what follows out: give the address of Prometheus itself");
}

}  // namespace

CheckType prometheus_check() {
  return check_type<PrometheusParams, PrometheusCheck>(
      {
          .name = "prometheus",
          .summary =
              "What a Prometheus answers to a query. No answer, an empty one and NaN are unknown.",
          .samples = prometheus_specs(),
          .example = "name: checkout-errors\n"
                     "type: prometheus\n"
                     "url: http://prometheus.example.com:9090\n"
                     "query: sum(rate(checkout_errors_total[5m]))\n"
                     "critical: value > 5 for 2m\n",
      },
      judge_params);
}

}  // namespace tocsin
