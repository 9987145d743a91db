#include "checks/queue_beanstalkd.hpp"

#include <algorithm>
#include <utility>

#include "checks/beanstalkd_stats.hpp"
#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {
namespace {

using Kind = BeanstalkdAnswer::Kind;

// The answer's first line is a word and two numbers; statistics are some fifteen lines.
constexpr std::size_t line_bytes_max = 512;
constexpr std::size_t stats_bytes_max = 64u << 10;
/// A job's body is passed over to reach what follows it; a greater one costs us its age.
constexpr std::size_t body_bytes_max = 8u << 20;
constexpr std::size_t tube_bytes_max = 200;  // protocol.txt of beanstalkd 1.12
/// Watched by every connection from its start, ours among them.
constexpr std::string_view default_tube = "default";

/// Commands out, lines and counted bytes in.
class BeanstalkdTalk {
 public:
  explicit BeanstalkdTalk(std::unique_ptr<Conversation> conversation)
      : conversation_{std::move(conversation)} {}

  Task<void> say(std::string text) {
    auto saying = conversation_->say(std::move(text));
    co_return co_await std::move(saying);
  }

  /// The next answer's first line; what it refuses and what is not its protocol is an Error.
  Task<BeanstalkdAnswer> hear_answer() {
    for (;;) {
      const auto end = waiting_.find("\r\n");
      if (end != std::string::npos && end <= line_bytes_max) {
        const auto line = waiting_.substr(0, end);
        waiting_.erase(0, end + 2);
        const auto answer = parse_beanstalkd_answer(line);
        if (answer.kind == Kind::refused)
          co_return Error{Errc::refused, place() + " answered " + quoted_answer(line)};
        if (answer.kind == Kind::foreign) co_return foreign(line);
        co_return answer;
      }
      if (waiting_.size() > line_bytes_max) co_return foreign(waiting_);
      auto hearing = hear_more();
      const auto more = co_await std::move(hearing);
      if (!more) co_return more.error();
    }
  }

  /// The data that an answer announced.
  Task<std::string> hear_data(std::uint64_t bytes) {
    if (bytes > stats_bytes_max)
      co_return Error{Errc::too_large, place() + " announced statistics of " +
                                           std::to_string(bytes) + " bytes, expected at most " +
                                           std::to_string(stats_bytes_max)};
    while (waiting_.size() < bytes + 2) {
      auto hearing = hear_more();
      const auto more = co_await std::move(hearing);
      if (!more) co_return more.error();
    }
    auto data = waiting_.substr(0, bytes);
    waiting_.erase(0, bytes + 2);
    co_return data;
  }

  /// Lets a job's body go by, keeping none of it.
  Task<void> pass_over(std::uint64_t bytes) {
    if (bytes > body_bytes_max) co_return Error{Errc::too_large, "the job is too large"};
    for (auto left = bytes + 2;;) {
      const auto taken = std::min<std::uint64_t>(left, waiting_.size());
      waiting_.erase(0, taken);
      left -= taken;
      if (left == 0) co_return Result<void>{};
      auto hearing = hear_more();
      const auto more = co_await std::move(hearing);
      if (!more) co_return more.error();
    }
  }

 private:
  Task<void> hear_more() {
    auto hearing = conversation_->hear();
    const auto piece = co_await std::move(hearing);
    if (!piece) co_return piece.error();
    waiting_ += *piece;
    co_return Result<void>{};
  }
  const std::string& place() const { return conversation_->peer(); }
  Error foreign(std::string_view line) const {
    return {Errc::protocol,
            place() + " does not speak beanstalkd's protocol: it answered " + quoted_answer(line)};
  }

  std::unique_ptr<Conversation> conversation_;
  std::string waiting_{};
};

class BeanstalkdSource final : public QueueSource {
 public:
  explicit BeanstalkdSource(BeanstalkdQueue params)
      : params_{std::move(params)}, place_{to_string(params_.address)} {}

  std::string name() const override { return "tube \"" + params_.tube + "\" on " + place_; }

  Task<QueueReading> look(CheckContext& context) override {
    OpenRequest request;
    request.address = params_.address;
    request.deadline = reply_by(context);
    auto opening = context.network.open(std::move(request));
    auto opened = co_await std::move(opening);
    if (opened.failure) {
      if (says_nothing_of_peer(opened.failure->error)) co_return opened.failure->error;
      co_return down(opened.failure->error);
    }
    BeanstalkdTalk talk{std::move(opened.conversation)};
    auto asking = ask_tube(talk);
    const auto tube = co_await std::move(asking);
    if (!tube) {
      if (says_nothing_of_peer(tube.error())) co_return tube.error();
      co_return down(tube.error());
    }
    auto reading = read(*tube);
    if (tube->ready.value_or(0) > 0) {
      auto aging = ask_age(talk);
      reading.oldest_seconds = co_await std::move(aging);
    }
    co_return reading;
  }

 private:
  static QueueReading down(const Error& error) {
    QueueReading reading;
    reading.up = false;
    reading.failure = error.detail;
    return reading;
  }

  /// A tube exists while somebody uses or watches it or it has jobs: one that is not found is
  /// empty.
  Task<BeanstalkdTube> ask_tube(BeanstalkdTalk& talk) const {
    auto saying = talk.say("stats-tube " + params_.tube + "\r\n");
    if (const auto said = co_await std::move(saying); !said) co_return said.error();
    auto hearing = talk.hear_answer();
    const auto answer = co_await std::move(hearing);
    if (!answer) co_return asked_for("stats-tube", answer.error());
    BeanstalkdTube none;
    none.ready = none.reserved = none.watching = none.total_jobs = none.deleted = 0;
    if (answer->kind == Kind::not_found) co_return none;
    if (answer->kind != Kind::data)
      co_return Error{Errc::protocol, place_ + " answered stats-tube with something else"};
    auto reading = talk.hear_data(answer->bytes);
    const auto data = co_await std::move(reading);
    if (!data) co_return asked_for("stats-tube", data.error());
    auto tube = parse_beanstalkd_tube(*data);
    if (!tube.ready)
      co_return Error{Errc::protocol, place_ + " answered stats-tube without current-jobs-ready"};
    co_return tube;
  }

  static Error asked_for(std::string_view what, Error error) {
    if (error.code == Errc::timed_out || error.code == Errc::disconnected)
      error.detail += " (asked for " + std::string{what} + ")";
    return error;
  }

  /// The age of the job that is next; nothing when that cannot be found out, which is no fault: it
  /// may be gone by now.
  asio::awaitable<std::optional<double>> ask_age(BeanstalkdTalk& talk) const {
    auto saying = talk.say("use " + params_.tube + "\r\npeek-ready\r\n");
    if (const auto said = co_await std::move(saying); !said) co_return std::nullopt;
    auto using_it = talk.hear_answer();
    if (const auto used = co_await std::move(using_it); !used) co_return std::nullopt;
    auto peeking = talk.hear_answer();
    const auto peeked = co_await std::move(peeking);
    if (!peeked || peeked->kind != Kind::job) co_return std::nullopt;
    auto passing = talk.pass_over(peeked->bytes);
    if (const auto passed = co_await std::move(passing); !passed) co_return std::nullopt;
    auto asking = talk.say("stats-job " + std::to_string(peeked->job) + "\r\n");
    if (const auto asked = co_await std::move(asking); !asked) co_return std::nullopt;
    auto hearing = talk.hear_answer();
    const auto answer = co_await std::move(hearing);
    if (!answer || answer->kind != Kind::data) co_return std::nullopt;
    auto reading = talk.hear_data(answer->bytes);
    const auto data = co_await std::move(reading);
    if (!data) co_return std::nullopt;
    co_return parse_beanstalkd_job_age(*data);
  }

  QueueReading read(const BeanstalkdTube& tube) const {
    QueueReading reading;
    const auto reserved = tube.reserved.value_or(0);
    reading.depth = *tube.ready + reserved;
    reading.consumers = tube.watching;
    if (reading.consumers && params_.tube == default_tube)
      reading.consumers = std::max(0.0, *reading.consumers - 1);
    reading.in_total = tube.total_jobs;
    reading.out_total = tube.deleted;
    const auto remark = [&](const BeanstalkdTube::Count& count, std::string_view words) {
      if (count.value_or(0) > 0)
        reading.remarks.push_back(describe_number(*count) + " " + std::string{words});
    };
    if (reserved > 0)
      reading.remarks.push_back(describe_number(*tube.ready) + " ready, " +
                                describe_number(reserved) + " being worked on");
    remark(tube.buried, "more are buried: they wait for somebody to kick or delete them");
    remark(tube.delayed, "more are delayed");
    if (tube.pause_left_seconds.value_or(0) > 0)
      reading.remarks.push_back("the tube is paused for another " +
                                describe_quantity(*tube.pause_left_seconds, Unit::seconds));
    return reading;
  }

  BeanstalkdQueue params_;
  std::string place_;
};

/// What a tube's name may have in it (protocol.txt of beanstalkd 1.12).
bool is_tube_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-+/;.$_()"}.find(c) != std::string_view::npos;
}

}  // namespace

void judge_source(const BeanstalkdQueue& params, const Node& map, Decoding& decoding) {
  const auto& tube = params.tube;
  const auto* node = map.find("tube");
  auto inner = decoding.at("tube");
  const auto complain = [&](std::string message) {
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (tube.empty() || tube.size() > tube_bytes_max)
    complain("a tube's name has 1 to " + std::to_string(tube_bytes_max) + " bytes");
  else if (!std::all_of(tube.begin(), tube.end(), is_tube_character) || tube.front() == '-')
    complain("a tube's name has letters, digits and -+/;.$_() in it, and does not begin with -");
}

std::unique_ptr<QueueSource> make_source(BeanstalkdQueue params) {
  return std::make_unique<BeanstalkdSource>(std::move(params));
}

}  // namespace tocsin::checks
