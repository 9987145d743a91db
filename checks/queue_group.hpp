#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/queue_source.hpp"

namespace tocsin::checks {

/// Queues of one check; seven samples each stay below limits::samples_per_run.
inline constexpr std::size_t queues_watched_max = 64;

struct QueueSighting {
  std::string queue{};                    ///< Its own name, which tells its samples apart.
  std::optional<QueueReading> reading{};  ///< Nothing: it is there, its numbers are not yet.
};

/// What one look at several queues told.
struct QueueGroupLook {
  std::string failure{};  ///< Why the server could not say: one sentence; nothing else is set then.
  std::vector<QueueSighting> queues{};   ///< Those named first, then by name; none twice.
  std::vector<std::string> unmatched{};  ///< Globs that no queue fits.
  std::vector<std::string> gone{};       ///< A glob meant them at the look before.
  std::size_t unwatched{0};              ///< How many more the globs mean.
};

/// Several queues of one server, looked at together. `queues` and `unmatched` of a look are never
/// more than `queues_watched_max` together.
class QueueGroup {
 public:
  virtual ~QueueGroup() = default;
  /// Which one, for sentences: `queue "mailers" on mq:15672`. Never a secret.
  virtual std::string name_of(const std::string& queue) const = 0;
  /// "mq:15672", for sentences.
  virtual std::string place() const = 0;
  /// What was configured: names and globs, none twice.
  virtual const std::vector<std::string>& wanted() const = 0;
  /// An Error is for what says nothing of the queues: this host's own trouble.
  virtual Task<QueueGroupLook> look(CheckContext& context) = 0;
  /// What is wrong with the server as a whole, one sentence, or "". Asked only for evidence.
  virtual asio::awaitable<std::string> trouble_of_server(CheckContext& context) = 0;
};

/// Follows each of them.
std::unique_ptr<Check> make_queue_group_check(std::unique_ptr<QueueGroup> group);

}  // namespace tocsin::checks
