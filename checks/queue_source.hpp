#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// What one look at a queue told. A number that the server does not know stays empty: it is never
/// taken for zero.
struct QueueReading {
  bool up{true};          ///< The server answered, took the credentials and has the queue.
  std::string failure{};  ///< Why it is not up: one sentence with the failing phase and the place.

  double depth{0};  ///< What waits or is being worked on. Counts only while up.
  std::optional<double> oldest_seconds{};  ///< Age of the oldest that waits.
  std::optional<double> consumers{};       ///< Who takes from it now.

  /// All that ever came in and was done, as counters of the server. The check makes rates of them;
  /// where they are not known it makes do with the depth.
  std::optional<double> in_total{};
  std::optional<double> out_total{};
  /// Rates as the server itself says them: used while there are no two readings of the counters.
  std::optional<double> in_per_second{};
  std::optional<double> out_per_second{};

  /// Whatever else helps at night, one line each, a few at most ("5000 ready, 120 unacknowledged").
  std::vector<std::string> remarks{};
};

/// A back end of the `queue` check: looks once, and neither retries, compares nor throws. It may
/// keep a connection between looks.
class QueueSource {
 public:
  virtual ~QueueSource() = default;
  /// Which queue where, for sentences: `queue "mailers" on mq:15672`. Never a secret.
  virtual std::string name() const = 0;
  /// A server that is away, refuses or lacks the queue is a reading that is not up. An Error is for
  /// what says nothing of the queue: this host's own trouble, or numbers that are not there yet.
  virtual Task<QueueReading> look(CheckContext& context) = 0;
  /// What is wrong with the server as a whole, one sentence, or "". Asked only for evidence.
  virtual asio::awaitable<std::string> trouble_of_server(CheckContext& /*context*/) {
    co_return std::string{};
  }
};

}  // namespace tocsin::checks
