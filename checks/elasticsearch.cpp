#include "checks/elasticsearch.hpp"

#include <algorithm>
#include <utility>

#include "checks/elasticsearch_reply.hpp"
#include "checks/http_access.hpp"
#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

using namespace checks;

struct ElasticsearchParams : HttpAccess {
  static constexpr auto fields() {
    return access_fields(
        "A node of the cluster, or what balances over them, as "
        "http://search:9200.");
  }
};

enum : std::uint16_t {
  up,
  status,
  nodes,
  data_nodes,
  active_shards,
  active_primary_shards,
  relocating_shards,
  initializing_shards,
  unassigned_shards,
  delayed_unassigned_shards,
  pending_tasks,
  in_flight_fetches,
  task_queue_seconds,
  active_shards_ratio,
  total_seconds
};

const std::vector<SampleSpec>& elasticsearch_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when the cluster told its health, else 0."},
      {"status", Unit::none,
       "0 green, 1 yellow (a replica is missing), 2 red (a primary shard is missing: data cannot "
       "be searched or written)."},
      {"nodes", Unit::none, "Nodes in the cluster."},
      {"data_nodes", Unit::none, "Nodes that hold data."},
      {"active_shards", Unit::none, "Shards in service, primaries and replicas."},
      {"active_primary_shards", Unit::none, "Primary shards in service."},
      {"relocating_shards", Unit::none, "Shards on the way from one node to another."},
      {"initializing_shards", Unit::none, "Shards that are being set up."},
      {"unassigned_shards", Unit::none, "Shards that no node holds."},
      {"delayed_unassigned_shards", Unit::none,
       "Of these, shards that wait for a node that left to come back."},
      {"pending_tasks", Unit::none, "Changes of the cluster that wait for its master."},
      {"in_flight_fetches", Unit::none, "Fetches of shard data that are not finished."},
      {"task_queue_seconds", Unit::seconds, "How long the oldest pending task has waited."},
      {"active_shards_ratio", Unit::ratio, "Share of the shards that is in service."},
      {"total_seconds", Unit::seconds, "Time of the whole request."},
  };
  return specs;
}

class ElasticsearchCheck final : public Check {
 public:
  ElasticsearchCheck(std::string /*name*/, ElasticsearchParams params)
      : params_{std::move(params)}, request_{request_below(params_, "/_cluster/health")} {}

  std::span<const SampleSpec> specs() const override { return elasticsearch_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto request = request_;
    request.deadline = reply_by(context);
    request.url.target += "?timeout=" + patience(request.deadline - context.clock.steady());
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (outcome.failure && says_nothing_of_peer(outcome.failure->error))
      co_return outcome.failure->error;
    health_.reset();
    failure_ = outcome.failure ? outcome.failure->error.detail : judge(*outcome.response);
    Samples samples;
    samples.reserve(elasticsearch_specs().size());
    put(samples, up, health_ ? 1 : 0);
    if (health_) put_health(samples);
    const auto& times = outcome.failure ? outcome.failure->times : outcome.response->times;
    put_time(samples, total_seconds, times.total);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (!health_) {
      if (!failure_.empty()) evidence.lines.push_back(failure_);
      evidence.probable_cause = failure_;
      co_return evidence;
    }
    evidence.lines.push_back(state_in_words());
    if (health_->timed_out)
      evidence.lines.push_back("the cluster did not gather its health in time");
    if (health_->unassigned_shards.value_or(0) > 0) {
      auto asking = explain_allocation(context);
      auto why = co_await std::move(asking);
      if (!why.empty()) {
        evidence.probable_cause = why;
        evidence.lines.push_back(std::move(why));
      }
    }
    co_return evidence;
  }

 private:
  /// How long the cluster may take, the search for its master included: without a word of ours it
  /// looks for one for 30 seconds, and we would be gone before it says that there is none.
  static std::string patience(Duration left) {
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(left * 3 / 4).count();
    return std::to_string(std::max<std::int64_t>(whole, 1)) + "ms";
  }

  /// What is wrong with the answer, or "" and the health is there.
  std::string judge(const HttpResponse& response) {
    auto health = parse_cluster_health(response.body);
    // A cluster that could not gather its health in time says so with status 408, and tells it.
    if (health && (response.status == 408 || refusal(params_, response).empty())) {
      health_ = *std::move(health);
      return {};
    }
    if (auto why = refusal(params_, response); !why.empty()) {
      const auto reason = elasticsearch_reason(response.body);
      return why + (reason.empty() ? "" : ": " + reason);
    }
    return "the answer of " + place_of(params_) + " " + health.error().detail;
  }

  void put_health(Samples& samples) const {
    const auto put_known = [&](std::uint16_t spec, const std::optional<double>& number) {
      if (number) put(samples, spec, *number);
    };
    put(samples, status, health_->status);
    put_known(nodes, health_->nodes);
    put_known(data_nodes, health_->data_nodes);
    put_known(active_shards, health_->active_shards);
    put_known(active_primary_shards, health_->active_primary_shards);
    put_known(relocating_shards, health_->relocating_shards);
    put_known(initializing_shards, health_->initializing_shards);
    put_known(unassigned_shards, health_->unassigned_shards);
    put_known(delayed_unassigned_shards, health_->delayed_unassigned_shards);
    put_known(pending_tasks, health_->pending_tasks);
    put_known(in_flight_fetches, health_->in_flight_fetches);
    put_known(task_queue_seconds, health_->task_queue_seconds);
    put_known(active_shards_ratio, health_->active_shards_ratio);
  }

  /// "cluster shop on search:9200 is red: 3 nodes, 2 unassigned shards, …".
  std::string state_in_words() const {
    auto words = "cluster " + (health_->cluster.empty() ? "" : health_->cluster + " ") + "on " +
                 place_of(params_) + " is " + std::string{status_word(health_->status)};
    std::string numbers;
    const auto say = [&](const std::optional<double>& number, const char* what, bool zero_too) {
      if (!number || (*number <= 0 && !zero_too)) return;
      numbers += (numbers.empty() ? ": " : ", ") + describe_number(*number) + what;
    };
    say(health_->nodes, " nodes", true);
    say(health_->data_nodes, " with data", true);
    say(health_->unassigned_shards, " unassigned shards", true);
    say(health_->delayed_unassigned_shards, " of them delayed", false);
    say(health_->initializing_shards, " initializing", false);
    say(health_->relocating_shards, " relocating", false);
    say(health_->pending_tasks, " pending tasks", false);
    return words + numbers;
  }

  asio::awaitable<std::string> explain_allocation(CheckContext& context) {
    auto request = request_below(params_, "/_cluster/allocation/explain");
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (!outcome.response || outcome.response->status != 200) co_return std::string{};
    co_return describe_allocation(outcome.response->body);
  }

  ElasticsearchParams params_;
  HttpRequest request_;
  std::optional<ClusterHealth> health_{};  ///< Of the last run, if it told one.
  std::string failure_{};                  ///< Why it did not.
};

void judge_params(const ElasticsearchParams& params, const Node& map, Decoding& decoding) {
  judge_access(params, map, decoding);
  if (params.url.target.find("/_") == std::string::npos) return;
  auto inner = decoding.at("url");
  const auto* node = map.find("url");
  inner.complain(node != nullptr ? *node : map,
                 "leave /_cluster and what follows out: give the address of the node");
}

}  // namespace

CheckType elasticsearch_check() {
  return check_type<ElasticsearchParams, ElasticsearchCheck>(
      {
          .name = "elasticsearch",
          .summary = "How a cluster of Elasticsearch or OpenSearch says it is.",
          .samples = elasticsearch_specs(),
          .default_critical = {"status >= 2 for 30s", "up < 1 for 2 of 3"},
          .example = "name: search\n"
                     "type: elasticsearch\n"
                     "url: https://search.example.com:9200\n"
                     "username: monitoring\n"
                     "password: {file: /etc/tocsin/search.password}\n"
                     "critical: [status >= 2 for 1m, up < 1 for 2 of 3]\n"
                     "warning: [unassigned_shards > 0 for 15m, pending_tasks > 100 for 5m]\n",
      },
      judge_params);
}

}  // namespace tocsin
