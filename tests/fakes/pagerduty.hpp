#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/fakes/receiver.hpp"

namespace tocsin::fakes {

/// An event that PagerDuty took (202), in the order of arrival.
struct PagerDutyEvent {
  /// What became of it. PagerDuty never tells: all of these were answered with 202.
  enum class Became {
    opened,        ///< A trigger opened a new alert.
    appended,      ///< A trigger joined the open alert of its key.
    acknowledged,  ///< An acknowledge found an open alert.
    resolved,      ///< A resolve closed the open alert.
    dropped,       ///< An acknowledge or resolve without an open alert under that routing key.
  };
  std::uint64_t number{0};
  Now at{};
  std::string routing_key{}, dedup_key{}, action{}, summary{}, severity{};
  std::string body{};  ///< As sent.
  Became became{Became::opened};
};
std::string_view to_string(PagerDutyEvent::Became became);

struct PagerDutyAlert {
  enum class State { triggered, acknowledged, resolved };
  std::string routing_key{}, dedup_key{}, summary{}, severity{};
  State state{State::triggered};
  Now opened{};
  std::uint64_t triggers{0};  ///< Trigger events that went into this alert.
};
std::string_view to_string(PagerDutyAlert::State state);

/// PagerDuty's Events API v2 in memory: POST /v2/enqueue and /v2/change/enqueue. Alerts are kept
/// per routing key and dedup key. A trigger while one is open joins it; after a resolve it opens a
/// new one. An acknowledge or a resolve that finds no open alert is taken and dropped without a
/// word, as the vendor does.
class FakePagerDuty : public Receiver {
 public:
  struct Options {
    /// Integration keys that exist; empty: every key of 32 characters.
    std::set<std::string> routing_keys{};
    /// Events a minute for each key, beyond which it answers 429 and ingests nothing; 0: no limit.
    /// The vendor documents about 120.
    std::size_t events_per_minute{0};
  };
  FakePagerDuty(TimeSource now, Options options);
  explicit FakePagerDuty(TimeSource now) : FakePagerDuty{std::move(now), Options{}} {}

  HttpReply handle(const HttpCall& call) override;
  std::string operation(const HttpCall& call) const override;
  HttpReply failing(const Fault& fault) const override;

  /// The last events taken, oldest first: at most `journal_max`.
  const std::deque<PagerDutyEvent>& journal() const { return journal_; }
  static constexpr std::size_t journal_max = 20'000;
  /// Every alert ever opened, oldest first; those of one key follow one another in time.
  const std::vector<PagerDutyAlert>& alerts() const { return alerts_; }
  std::size_t open_alerts() const;
  /// How many alerts this key has opened, under any routing key: more than one without a resolve
  /// between them is a page too many.
  std::size_t opened(std::string_view dedup_key) const;
  /// How many trigger events this key received, duplicates included.
  std::size_t triggers(std::string_view dedup_key) const;
  const PagerDutyAlert* open_alert(std::string_view dedup_key) const;
  /// Somebody acts in PagerDuty itself; true when an open alert of the key was found.
  bool acknowledge_by_hand(std::string_view dedup_key);
  bool resolve_by_hand(std::string_view dedup_key);
  void set_options(Options options) { options_ = std::move(options); }

 private:
  PagerDutyAlert* find_open(std::string_view routing_key, std::string_view dedup_key);
  PagerDutyEvent::Became apply(const PagerDutyEvent& event);
  bool throttled(const std::string& routing_key);

  TimeSource now_;
  Options options_;
  std::deque<PagerDutyEvent> journal_{};
  std::vector<PagerDutyAlert> alerts_{};
  std::map<std::string, std::deque<SteadyTime>> arrivals_{};
  std::uint64_t taken_{0};
  std::uint64_t keys_made_{0};
};

}  // namespace tocsin::fakes
