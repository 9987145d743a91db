#include "checks/followed_queue.hpp"

#include <utility>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

std::vector<SampleSpec> specs_labelled(const std::string& label) {
  return {
      {"up", Unit::none, "1 when the server answers and has the queue, else 0.", label},
      {"depth", Unit::none, "How many wait or are being worked on.", label},
      {"oldest_seconds", Unit::seconds, "Age of the oldest that waits, where the server knows it.",
       label},
      {"consumers", Unit::none, "How many take from it, where the server knows it.", label},
      {"in_per_second", Unit::per_second, "How many come in, over the last minute.", label},
      {"out_per_second", Unit::per_second, "How many are done, over the last minute.", label},
      {"drain_seconds", Unit::seconds,
       "Time until it is empty at the present rates; 30 days when it does not drain.", label},
      {"queues", Unit::none,
       "Where several are watched: how many of them there are. All of the above is then of each, "
       "with a label \"queue\"."},
      {"unwatched", Unit::none,
       "Where several are watched: how many more the globs mean than the 64 that are watched."},
      {"vanished", Unit::none,
       "Where several are watched: queues that a glob meant and that went away within the last ten "
       "minutes."},
  };
}

}  // namespace

const std::vector<SampleSpec>& queue_specs() {
  static const auto specs = specs_labelled("");
  return specs;
}

const std::vector<SampleSpec>& queue_group_specs() {
  static const auto specs = specs_labelled("queue");
  return specs;
}

void FollowedQueue::note(QueueReading reading, SteadyTime now) {
  reading_ = std::move(reading);
  if (reading_->up)
    flow_.note(*reading_, now);
  else
    flow_.forget();
}

void FollowedQueue::lose() {
  reading_.reset();
  flow_.forget();
}

QueueConcern FollowedQueue::concern() const {
  QueueConcern concern;
  if (!reading_) return concern;
  if (!reading_->up) {
    concern.kind = QueueConcern::Kind::not_up;
    return concern;
  }
  concern.depth = reading_->depth;
  concern.drain_seconds = flow_.drain_seconds().value_or(0);
  if (concern.depth <= 0) return concern;
  if (reading_->consumers && *reading_->consumers < 1)
    concern.kind = QueueConcern::Kind::nobody_consumes;
  else if (concern.drain_seconds >= QueueFlow::drain_seconds_max)
    concern.kind = QueueConcern::Kind::does_not_drain;
  return concern;
}

void FollowedQueue::put_samples(Samples& samples, const std::string& instance) const {
  if (!reading_) return;
  put(samples, queue_up, reading_->up ? 1 : 0, instance);
  if (!reading_->up) return;
  const auto put_known = [&](QueueSample spec, const std::optional<double>& value) {
    if (value) put(samples, spec, *value, instance);
  };
  put(samples, queue_depth, reading_->depth, instance);
  put_known(queue_oldest_seconds, reading_->oldest_seconds);
  put_known(queue_consumers, reading_->consumers);
  put_known(queue_in_per_second, flow_.rates().in);
  put_known(queue_out_per_second, flow_.rates().out);
  put_known(queue_drain_seconds, flow_.drain_seconds());
}

/// "5120 in queue "mailers" on mq:15672, 0 consumers, the oldest 14m old".
std::string FollowedQueue::state_in_words() const {
  auto words = describe_number(reading_->depth) + " in " + name_;
  if (const auto& count = reading_->consumers)
    words += ", " + describe_number(*count) + (*count == 1 ? " consumer" : " consumers");
  if (const auto& age = reading_->oldest_seconds)
    words += ", the oldest " + describe_quantity(*age, Unit::seconds) + " old";
  return words;
}

std::string FollowedQueue::cause() const {
  if (reading_->depth <= 0 || !reading_->consumers) return {};
  if (*reading_->consumers < 1) return "nobody consumes " + name_;
  const auto& rate = flow_.rates();
  if (rate.growth && *rate.growth > 0 && rate.in && rate.out && *rate.in > *rate.out)
    return "more comes in than is taken out of " + name_ + ": " + flow_.rates_in_words();
  return {};
}

void FollowedQueue::describe(SteadyTime now, Evidence& evidence) const {
  if (!reading_) return;
  if (!reading_->up) {
    evidence.lines.push_back(reading_->failure);
    evidence.probable_cause = reading_->failure;
    return;
  }
  const auto estimate = flow_.drain_estimate();
  evidence.lines.push_back(state_in_words());
  if (auto rates = flow_.rates_in_words(); !rates.empty()) evidence.lines.push_back(rates);
  if (auto growth = flow_.growth_in_words(now); !growth.empty())
    evidence.lines.push_back("it " + std::move(growth));
  for (const auto& remark : reading_->remarks) evidence.lines.push_back(remark);
  if (!estimate.empty()) evidence.lines.push_back("it " + estimate);
  evidence.recovery_estimate = estimate;
  evidence.probable_cause = cause();
}

std::string FollowedQueue::in_one_line() const {
  if (!reading_) return {};
  if (!reading_->up) return reading_->failure;
  const auto estimate = flow_.drain_estimate();
  return state_in_words() + (estimate.empty() ? "" : "; it " + estimate);
}

}  // namespace tocsin::checks
