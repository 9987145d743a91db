// What a Prometheus and an Elasticsearch answer: any bytes must give numbers or an error, never a
// number that is none, two series of one name, or more of them than the bound.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "checks/elasticsearch_reply.hpp"
#include "checks/prometheus_reply.hpp"
#include "tocsin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::check_that;
  namespace checks = tocsin::checks;
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  if (const auto reply = checks::parse_prometheus_reply(body)) {
    check_that(reply->values.size() <= checks::prometheus_series_max, "series are bounded");
    std::set<std::string> names;
    for (const auto& value : reply->values) {
      check_that(!std::isnan(value.value), "a value is a number");
      check_that(names.insert(value.labels).second, "every series has a name of its own");
    }
  } else {
    check_that(!reply.error().detail.empty(), "an error has its sentence");
  }
  if (const auto health = checks::parse_cluster_health(body)) {
    check_that(health->status >= 0 && health->status <= 2, "a status is green, yellow or red");
    check_that(!health->nodes || *health->nodes >= 0, "nodes are counted");
  }
  check_that(checks::describe_allocation(body).size() < 4000, "an explanation is a line");
  check_that(checks::elasticsearch_reason(body).size() < 4000, "a reason is a line");
  return 0;
}
