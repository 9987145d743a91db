#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/schedule/entry.hpp"
#include "agent/schedule/places.hpp"
#include "agent/schedule/scheduler.hpp"

namespace tocsin::schedule {

/// Between two looks at an appointment's word: a sink that always asks for "now" must not make a
/// busy loop.
inline constexpr Duration looks_apart = std::chrono::milliseconds{10};
/// A check may ask to be run at once this often in a second; then it waits for the second to end.
inline constexpr int nudges_per_second = 10;
/// A rise of Clock::suspended() by less is noise between two readings.
inline constexpr Duration suspend_noticed = std::chrono::milliseconds{100};
/// How long the runs in flight are waited for when the scheduler is told to end.
inline constexpr Duration farewell = std::chrono::seconds{1};

struct Scheduler::Impl {
  /// Evidence as it comes in: it outlives a caller that has stopped waiting for it.
  struct Collected {
    explicit Collected(const asio::any_io_executor& executor) : ended{executor} {}
    Evidence evidence{};
    bool done{false};
    Wakeup ended;
  };

  Impl(asio::any_io_executor on, Clock& time, Surroundings around, Memories& kept, Sink to);
  ~Impl();

  // The set.
  void replace(std::vector<ScheduledCheck> checks);
  std::shared_ptr<Entry> make(ScheduledCheck check);
  void retire(Entry& entry);
  Entry* find(const std::string& name);

  // When.
  void set_turn(Entry& entry, SteadyTime when);
  static void set_phases(Entry& entry, Duration grid);
  /// The phase that it has by its manner now.
  static Duration phase(const Entry& entry);
  SteadyTime regular_turn(const Entry& entry, SteadyTime after) const;
  SteadyTime regular_turn(const Entry& entry) const;  ///< After now.
  /// After the run that ended. Where the phase has changed since, not so soon that rates since
  /// this run would mean nothing.
  SteadyTime turn_after_run(Entry& entry) const;
  /// The regular turn, or sooner if somebody asked.
  void set_next_turn(Entry& entry, SteadyTime regular);
  void look_no_later_than(Entry& entry, SteadyTime at);
  void nudge(Entry& entry);
  SteadyTime nudged_moment(Entry& entry);
  SteadyTime first_moment() const;

  // The runs.
  asio::awaitable<void> loop();
  void do_what_is_due();
  void take_turn(Entry& entry);
  void start(Entry& entry);
  void fill_context(Entry& entry, SteadyTime deadline);
  static asio::awaitable<void> execute(std::shared_ptr<Entry> entry);
  void finish(const std::shared_ptr<Entry>& entry);
  void cut_off(Entry& entry);
  void tell(Entry& entry, Result<Samples> outcome);
  void cancel_all();

  // Evidence.
  void start_evidence(Entry& entry, SteadyTime deadline, std::shared_ptr<Collected> into);
  static asio::awaitable<void> collect(std::shared_ptr<Entry> entry,
                                       std::shared_ptr<Collected> into);
  void end_evidence(Entry& entry);
  void cut_off_evidence(Entry& entry);
  /// Somebody waits for a run to end: a place in the queue, or the farewell.
  void tell_loop_of_end();

  asio::any_io_executor executor;
  Clock& clock;
  Surroundings surroundings;
  Memories& memories;
  Sink sink;

  std::map<std::string, std::shared_ptr<Entry>> entries;
  Agenda turns;
  Agenda cut_offs;
  Places places;
  std::size_t evidences{0};
  bool stopping{false};
  Wakeup changed;
  SteadyTime asleep_until{SteadyTime::min()};  ///< What the loop sleeps for; min while it is awake.
  /// Handlers hold this weakly: they may be called after the scheduler is gone.
  std::shared_ptr<Impl*> self{std::make_shared<Impl*>(this)};
};

}  // namespace tocsin::schedule
