#include "checks/queue_group.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "checks/followed_queue.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// How long a queue that went away is counted.
constexpr Duration vanished_window = std::chrono::minutes{10};
/// Beside the worst one, which has several lines.
constexpr std::size_t queues_told_of = 4;

struct Vanished {
  std::string queue{};
  SteadyTime noticed{};
  std::optional<double> depth{};  ///< When it was last seen.
};

class QueueGroupCheck final : public Check {
 public:
  explicit QueueGroupCheck(std::unique_ptr<QueueGroup> group) : group_{std::move(group)} {}

  std::span<const SampleSpec> specs() const override { return queue_group_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto looking = group_->look(context);
    auto looked = co_await std::move(looking);
    if (!looked) {
      followed_.clear();
      look_.reset();
      co_return looked.error();
    }
    if (context.gap || !looked->failure.empty()) followed_.clear();
    look_ = *std::move(looked);
    const auto now = context.clock.steady();
    if (look_->failure.empty()) follow(now);
    if (has_no_numbers())
      co_return Error{Errc::missing, group_->place() +
                                         " has no statistics of any of these queues yet: they come "
                                         "within seconds unless management.disable_stats is set"};
    co_return samples();
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    std::string trouble;
    if (look_ && look_->failure.empty()) {
      auto asking = group_->trouble_of_server(context);
      trouble = co_await std::move(asking);
    }
    Evidence evidence;
    if (!look_) co_return evidence;
    if (!look_->failure.empty()) {
      add_line(evidence, look_->failure);
      evidence.probable_cause = look_->failure;
      co_return evidence;
    }
    const auto now = context.clock.steady();
    if (!trouble.empty()) add_line(evidence, trouble);
    tell_of_queues(evidence, now);
    tell_of_absent(evidence, now);
    if (evidence.probable_cause.empty()) evidence.probable_cause = std::move(trouble);
    co_return evidence;
  }

 private:
  using Followed = std::map<std::string, FollowedQueue>;

  void follow(SteadyTime now) {
    note_vanished(now);
    Followed before;
    before.swap(followed_);
    for (auto& sighting : look_->queues) {
      auto kept = before.extract(sighting.queue);
      auto& queue =
          kept.empty()
              ? followed_.emplace(sighting.queue, FollowedQueue{group_->name_of(sighting.queue)})
                    .first->second
              : followed_.insert(std::move(kept)).position->second;
      if (sighting.reading)
        queue.note(*std::move(sighting.reading), now);
      else
        queue.lose();
      sighting.reading.reset();
    }
  }

  void note_vanished(SteadyTime now) {
    const auto is_over = [&](const Vanished& one) {
      const auto is_it = [&](const QueueSighting& seen) { return seen.queue == one.queue; };
      return now - one.noticed > vanished_window ||
             std::any_of(look_->queues.begin(), look_->queues.end(), is_it);
    };
    std::erase_if(vanished_, is_over);
    for (const auto& name : look_->gone) {
      if (vanished_.size() == queues_watched_max) vanished_.erase(vanished_.begin());
      Vanished one{name, now, {}};
      const auto last = followed_.find(name);
      if (last != followed_.end() && last->second.reading() && last->second.reading()->up)
        one.depth = last->second.reading()->depth;
      vanished_.push_back(std::move(one));
    }
  }

  bool has_no_numbers() const {
    return look_->failure.empty() && look_->unmatched.empty() && !followed_.empty() &&
           std::none_of(followed_.begin(), followed_.end(),
                        [](const auto& entry) { return entry.second.reading().has_value(); });
  }

  Samples samples() const {
    Samples samples;
    if (!look_->failure.empty()) {
      for (const auto& text : group_->wanted()) put(samples, queue_up, 0, text);
      return samples;
    }
    samples.reserve(look_->queues.size() * queue_drain_seconds + 8);
    for (const auto& sighting : look_->queues) {
      const auto& queue = followed_.at(sighting.queue);
      if (queue.reading())
        queue.put_samples(samples, sighting.queue);
      else
        put(samples, queue_up, 1, sighting.queue);
    }
    for (const auto& glob : look_->unmatched) put(samples, queue_up, 0, glob);
    put(samples, queues_watched,
        static_cast<double>(
            std::count_if(followed_.begin(), followed_.end(), [](const auto& entry) {
              return !entry.second.reading() || entry.second.reading()->up;
            })));
    put(samples, queues_unwatched, static_cast<double>(look_->unwatched));
    put(samples, queues_vanished, static_cast<double>(vanished_.size()));
    return samples;
  }

  /// Those that need somebody, the worst first; else the one that is fullest.
  std::vector<const FollowedQueue*> notable() const {
    struct Ranked {
      QueueConcern concern{};
      const FollowedQueue* queue{};
    };
    std::vector<Ranked> ranked;
    for (const auto& [name, queue] : followed_)
      if (queue.reading()) ranked.push_back({queue.concern(), &queue});
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Ranked& a, const Ranked& b) { return a.concern > b.concern; });
    std::vector<const FollowedQueue*> queues;
    for (const auto& [concern, queue] : ranked)
      if (queues.empty() || concern.kind != QueueConcern::Kind::none) queues.push_back(queue);
    return queues;
  }

  void tell_of_queues(Evidence& evidence, SteadyTime now) const {
    const auto queues = notable();
    if (queues.empty()) return;
    const auto& worst = *queues.front();
    Evidence of_worst;
    worst.describe(now, of_worst);
    for (auto& line : of_worst.lines) add_line(evidence, std::move(line));
    evidence.probable_cause = of_worst.probable_cause;
    const auto alike = std::count_if(queues.begin() + 1, queues.end(), [&](const auto* queue) {
      return queue->concern().kind == worst.concern().kind;
    });
    if (!evidence.probable_cause.empty() && alike > 0)
      evidence.probable_cause += "; " + std::to_string(alike) +
                                 (alike == 1 ? " more queue is" : " more queues are") + " like it";
    for (const auto* queue : queues) {
      if (!evidence.recovery_estimate.empty()) break;
      if (const auto estimate = queue->drain_estimate(); !estimate.empty())
        evidence.recovery_estimate = queue->name() + " " + estimate;
    }
    const auto told = std::min(queues.size(), queues_told_of + 1);
    for (std::size_t i = 1; i < told; ++i) add_line(evidence, queues[i]->in_one_line());
    if (queues.size() > told)
      add_line(evidence,
               "and " + std::to_string(queues.size() - told) + " more queues need somebody");
  }

  void tell_of_absent(Evidence& evidence, SteadyTime now) const {
    for (const auto& glob : look_->unmatched) {
      auto words = "no queue on " + group_->place() + " fits \"" +
                   cut_characters(clean_utf8(glob), 100) + "\"";
      if (evidence.probable_cause.empty()) evidence.probable_cause = words;
      add_line(evidence, std::move(words));
    }
    for (auto one = vanished_.rbegin(); one != vanished_.rend(); ++one)
      add_line(evidence, group_->name_of(one->queue) + " is gone, as was noticed " +
                             describe(now - one->noticed) + " ago" +
                             (one->depth ? "; it held " + describe_number(*one->depth) : ""));
    if (look_->unwatched > 0)
      add_line(evidence, "the globs mean " + std::to_string(look_->unwatched) +
                             " more queues, which are not watched");
  }

  std::unique_ptr<QueueGroup> group_;
  Followed followed_{};                   ///< The queues of the last look.
  std::optional<QueueGroupLook> look_{};  ///< Without its readings; none after an Error.
  std::vector<Vanished> vanished_{};      ///< Oldest first; at most queues_watched_max.
};

}  // namespace

std::unique_ptr<Check> make_queue_group_check(std::unique_ptr<QueueGroup> group) {
  return std::make_unique<QueueGroupCheck>(std::move(group));
}

}  // namespace tocsin::checks
