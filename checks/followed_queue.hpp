#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "checks/queue_flow.hpp"
#include "checks/queue_source.hpp"
#include "tocsin/check/check.hpp"

namespace tocsin::checks {

/// What there is to say of one queue, as indices into queue_specs(). The rest is said of several
/// queues together.
enum QueueSample : std::uint16_t {
  queue_up,
  queue_depth,
  queue_oldest_seconds,
  queue_consumers,
  queue_in_per_second,
  queue_out_per_second,
  queue_drain_seconds,
  queues_watched,
  queues_unwatched,
  queues_vanished
};

/// Of a check that follows one queue, the samples of several being declared and not yielded.
const std::vector<SampleSpec>& queue_specs();
/// The same with a label that tells the queues apart.
const std::vector<SampleSpec>& queue_group_specs();

/// How much a queue needs somebody, the greater the more.
struct QueueConcern {
  enum class Kind { none, does_not_drain, nobody_consumes, not_up };
  Kind kind{Kind::none};
  double drain_seconds{0};
  double depth{0};
  friend auto operator<=>(const QueueConcern&, const QueueConcern&) = default;
};

/// One queue from look to look: its last reading, its flow, and the words for both.
class FollowedQueue {
 public:
  /// `name` is for sentences: `queue "mailers" on mq:15672`.
  explicit FollowedQueue(std::string name) : name_{std::move(name)} {}

  /// Takes a reading; one that is not up ends what could be compared.
  void note(QueueReading reading, SteadyTime now);
  /// Nothing known before may be compared with what comes; the last reading stays.
  void forget() { flow_.forget(); }
  /// Nothing is known of it any more.
  void lose();

  const std::string& name() const { return name_; }
  const std::optional<QueueReading>& reading() const { return reading_; }
  QueueConcern concern() const;
  void put_samples(Samples& samples, const std::string& instance = {}) const;

  /// Lines, cause and estimate of the last reading; nothing when there is none.
  void describe(SteadyTime now, Evidence& evidence) const;
  /// The same in one line.
  std::string in_one_line() const;
  std::string drain_estimate() const { return flow_.drain_estimate(); }

 private:
  std::string state_in_words() const;
  std::string cause() const;

  std::string name_;
  QueueFlow flow_{};
  std::optional<QueueReading> reading_{};
};

}  // namespace tocsin::checks
