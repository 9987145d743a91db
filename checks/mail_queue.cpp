#include "checks/mail_queue.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "checks/mail_listing.hpp"
#include "checks/reply_by.hpp"
#include "checks/words.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {

template <>
struct EnumWords<checks::MailSystem> {
  static std::span<const std::pair<checks::MailSystem, std::string_view>> names() {
    static constexpr std::array<std::pair<checks::MailSystem, std::string_view>, 2> words{
        {{checks::MailSystem::postfix, "postfix"}, {checks::MailSystem::exim, "exim"}}};
    return words;
  }
};

namespace {

using namespace checks;

struct MailQueueParams {
  std::optional<MailSystem> mta{};
  std::vector<std::string> command{};
  static constexpr auto fields() {
    using Self = MailQueueParams;
    return std::tuple{
        field("mta", &Self::mta, "The mail system. Left out: whichever of the two is found."),
        field(
            "command", &Self::command,
            "What lists the queue instead, as a list: of the form of `postqueue -j` or, with mta: "
            "exim, `exim -bpr`.")};
  }
};

enum : std::uint16_t { up, depth, active, deferred, held, oldest_seconds };

const std::vector<SampleSpec>& mail_queue_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none,
       "0 when Postfix is not running, else 1. Its queue is read all the same, but by root alone."},
      {"depth", Unit::none, "Messages in the queue, held ones too."},
      {"active", Unit::none, "Messages being delivered or about to be (Postfix)."},
      {"deferred", Unit::none, "Messages that could not be delivered and wait (Postfix)."},
      {"held", Unit::none, "Messages put on hold (Postfix) or frozen (Exim)."},
      {"oldest_seconds", Unit::seconds,
       "Age of the oldest message that is not held; 0 when there is none."},
  };
  return specs;
}

/// How a queue is listed, and in whose form.
struct Lister {
  MailSystem system{MailSystem::postfix};
  std::vector<std::string> command{};
};

/// Those to try in turn. Debian's Exim is called exim4.
std::vector<Lister> listers_of(const MailQueueParams& params) {
  if (!params.command.empty()) return {{params.mta.value_or(MailSystem::postfix), params.command}};
  std::vector<Lister> all;
  if (params.mta != MailSystem::exim) all.push_back({MailSystem::postfix, {"postqueue", "-j"}});
  if (params.mta != MailSystem::postfix) {
    all.push_back({MailSystem::exim, {"exim4", "-bpr"}});
    all.push_back({MailSystem::exim, {"exim", "-bpr"}});
  }
  return all;
}

std::string first_line(std::string_view text) {
  return cut_characters(clean_utf8(trim(text.substr(0, text.find('\n')))), 200);
}

/// The depth from which the queue has been falling since, to tell when it will be empty.
struct Ebb {
  SteadyTime since{};
  std::uint64_t from{0};
};
constexpr Duration ebb_least = std::chrono::seconds{10};

class MailQueueCheck final : public Check {
 public:
  MailQueueCheck(std::string /*name*/, MailQueueParams params) : listers_{listers_of(params)} {}

  std::span<const SampleSpec> specs() const override { return mail_queue_specs(); }

  Task<Samples> run(CheckContext& context) override {
    // The one that was found last time first: there is no need to look for the others every time.
    for (std::size_t tried = 0; tried < listers_.size(); ++tried) {
      const auto index = (found_ + tried) % listers_.size();
      auto listing = list(context, index);
      auto samples = co_await std::move(listing);
      if (!samples && samples.error().code == Errc::missing) continue;
      found_ = index;
      co_return samples;
    }
    std::string names;
    for (const auto& lister : listers_)
      names += (names.empty() ? "" : ", ") + lister.command.front();
    co_return Error{Errc::missing, "the mail queue cannot be listed: there is no " + names +
                                       " here; install the mail system or give its command"};
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (!complaint_.empty()) evidence.lines.push_back(complaint_);
    if (queue_known_) evidence.lines.push_back(size_line());
    const auto reasons = tally_.reasons.top(reasons_shown);
    for (const auto& [reason, count] : reasons)
      evidence.lines.push_back(counted(count, "recipient") + " delayed: " + reason);
    std::string domains;
    for (const auto& [domain, count] : tally_.recipient_domains.top(domains_shown))
      domains += (domains.empty() ? "" : ", ") + domain + " " + std::to_string(count);
    if (!domains.empty()) evidence.lines.push_back("recipients by domain: " + domains);
    std::string oldest;
    for (const auto& one : tally_.oldest)
      oldest += (oldest.empty() ? "" : ", ") + one.id + " (" + one.queue + ", " +
                describe(age_of(one.arrival)) + ")";
    if (!oldest.empty()) evidence.lines.push_back("oldest messages: " + oldest);
    for (auto& line : evidence.lines) line = cut_characters(line, limits::evidence_line_characters);
    if (!complaint_.empty())
      evidence.probable_cause = complaint_;
    else if (2 * tally_.held > tally_.depth)  // Whatever delayed them before they were held.
      evidence.probable_cause = held_words();
    else if (!reasons.empty() && 2 * reasons.front().second > tally_.reasons.total())
      evidence.probable_cause = reasons.front().first;
    evidence.recovery_estimate = estimate(context.clock.steady());
    co_return evidence;
  }

 private:
  static constexpr std::size_t reasons_shown = 4;
  static constexpr std::size_t domains_shown = 5;

  Task<Samples> list(CheckContext& context, std::size_t index) {
    const auto& lister = listers_[index];
    wall_ = std::chrono::floor<std::chrono::seconds>(context.clock.wall()).time_since_epoch();
    // Shared with the command, which may live on for a moment when this run is cut off.
    const auto listing = std::make_shared<MailListing>(lister.system, wall_.count());
    CommandRequest request;
    request.command = lister.command;
    request.output_bytes_max = limits::plugin_output_bytes;
    request.deadline = reply_by(context);
    request.on_output = [listing](std::string_view piece) { listing->take(piece); };
    auto running = context.processes.run(std::move(request));
    const auto outcome = co_await std::move(running);
    if (!outcome) co_return outcome.error();
    listing->finish();
    if (is_stopped(lister.system, *outcome)) co_return stopped(*outcome);
    if (auto fault = why_unknown(lister, *outcome, listing->tally())) co_return *fault;
    tally_ = listing->tally();
    queue_known_ = true;
    complaint_.clear();
    if (outcome->error_output.find("Mail system is down") != std::string::npos)
      complaint_ = "Postfix is not running: " + first_line(outcome->error_output);
    follow(context.clock.steady());
    co_return samples_of(lister.system);
  }

  /// Postfix shows its queue without its daemons to root alone; to others it says this.
  static bool is_stopped(MailSystem system, const CommandOutcome& outcome) {
    return system == MailSystem::postfix && outcome.exit_code != 0 &&
           outcome.error_output.find("mail system is down") != std::string::npos;
  }
  Samples stopped(const CommandOutcome& outcome) {
    tally_ = {};
    queue_known_ = false;
    ebb_.reset();
    complaint_ = "Postfix is not running: " + first_line(outcome.error_output);
    Samples samples;
    put(samples, up, 0);
    return samples;
  }

  Samples samples_of(MailSystem system) const {
    Samples samples;
    const auto whole = [](std::uint64_t count) { return static_cast<double>(count); };
    if (system == MailSystem::postfix) put(samples, up, complaint_.empty() ? 1 : 0);
    put(samples, depth, whole(tally_.depth));
    if (system == MailSystem::postfix) {
      put(samples, active, whole(tally_.active));
      put(samples, deferred, whole(tally_.deferred));
    }
    put(samples, held, whole(tally_.held));
    const auto age = tally_.oldest.empty() ? Duration{0} : age_of(tally_.oldest.front().arrival);
    put(samples, oldest_seconds, std::chrono::duration<double>(age).count());
    return samples;
  }

  /// Why nothing is known of the queue, if so. Half a listing is none.
  static std::optional<Error> why_unknown(const Lister& lister, const CommandOutcome& outcome,
                                          const MailTally& tally) {
    const auto& program = lister.command.front();
    if (outcome.timed_out)
      return Error{Errc::timed_out, program + " was ended after " + describe(outcome.took) +
                                        ", with " + counted(tally.depth, "message") +
                                        " listed so far; a longer timeout may do"};
    const auto words = outcome.error_output.empty()
                           ? "it said nothing"
                           : first_line(without_warnings(lister.system, outcome.error_output));
    if (outcome.signal != 0)
      return Error{Errc::protocol, program + " was ended by signal " +
                                       std::to_string(outcome.signal) + ": " + words};
    if (outcome.exit_code != 0)
      return Error{Errc::refused, program + " ended with exit code " +
                                      std::to_string(outcome.exit_code) + ": " + words +
                                      std::string{what_to_do(lister.system, outcome)}};
    if (tally.depth == 0 && tally.unreadable > 0)
      return Error{Errc::protocol, program + " printed " + counted(tally.unreadable, "line") +
                                       ", and none of them of a mail queue"};
    return std::nullopt;
  }

  /// Exim may warn of its configuration before it says why it ends.
  static std::string_view without_warnings(MailSystem system, std::string_view text) {
    const auto at = system == MailSystem::exim ? text.find("exim: ") : 0;
    return at == std::string_view::npos ? text : text.substr(at);
  }

  /// postqueue takes its right to see the queue from its file's group, which no-new-privileges
  /// takes away. Exim lists its queue for those of its own group, who may read the spool too.
  static std::string_view what_to_do(MailSystem system, const CommandOutcome& outcome) {
    if (outcome.error_output.find("ermission denied") == std::string::npos) return "";
    switch (system) {
      case MailSystem::postfix:
        return "; give the agent Postfix's group (SupplementaryGroups=postdrop)";
      case MailSystem::exim:
        return "; give the agent Exim's group (on Debian SupplementaryGroups=Debian-exim)";
    }
    return "";
  }

  Duration age_of(std::int64_t arrival) const {
    // The wall clock may have been set back since it arrived.
    return std::max(wall_ - std::chrono::seconds{arrival}, std::chrono::seconds{0});
  }

  std::string size_line() const {
    auto line = counted(tally_.depth, "message") + " in the queue";
    if (tally_.deferred > 0) line += ", " + std::to_string(tally_.deferred) + " deferred";
    if (tally_.active > 0) line += ", " + std::to_string(tally_.active) + " active";
    if (tally_.held > 0) line += ", " + std::to_string(tally_.held) + " on hold";
    if (!tally_.oldest.empty())
      line += "; the oldest has waited " + describe(age_of(tally_.oldest.front().arrival));
    return line;
  }

  std::string held_words() const {
    const bool exim = listers_[found_].system == MailSystem::exim;
    return std::to_string(tally_.held) + " of " + counted(tally_.depth, "message") +
           (exim ? " frozen, until somebody thaws them (exim -Mt ID)"
                 : " on hold, until somebody releases them (postsuper -H ALL)");
  }

  void follow(SteadyTime now) {
    const auto waiting = tally_.depth - tally_.held;
    if (!ebb_ || waiting >= last_) ebb_ = Ebb{now, waiting};
    last_ = waiting;
  }

  /// When the queue will be empty, while it falls.
  std::string estimate(SteadyTime now) const {
    if (!ebb_ || last_ == 0 || last_ >= ebb_->from || now - ebb_->since < ebb_least) return {};
    const auto gone = static_cast<double>(ebb_->from - last_);
    const auto left = static_cast<double>(last_) / gone *
                      std::chrono::duration<double>(now - ebb_->since).count();
    if (left > 7 * 86400.0) return {};
    const auto whole = std::chrono::seconds{static_cast<std::int64_t>(left) + 1};
    return "the queue is empty in about " + describe(whole) + " at the present rate";
  }

  std::vector<Lister> listers_;
  std::size_t found_{0};
  std::chrono::seconds wall_{0};  ///< Of the last listing.
  MailTally tally_{};
  bool queue_known_{false};  ///< The last listing told it.
  std::string complaint_{};  ///< What is wrong with the mail system itself.
  std::optional<Ebb> ebb_{};
  std::uint64_t last_{0};
};

void judge(const MailQueueParams& params, const Node& map, Decoding& decoding) {
  const auto* node = map.find("command");
  if (node == nullptr || (!params.command.empty() && !params.command.front().empty())) return;
  auto inner = decoding.at("command");
  inner.complain(*node, "expected the program first, as in [postqueue, -c, /etc/postfix-out, -j]");
}

}  // namespace

CheckType mail_queue_check() {
  return check_type<MailQueueParams, MailQueueCheck>(
      {
          .name = "mail_queue",
          .summary = "How much mail waits in the queue of Postfix or Exim, for how long and why.",
          .samples = mail_queue_specs(),
          .default_critical = {"oldest_seconds > 30m"},
          .default_warning = {"up < 1 for 2m"},
          .example = "name: outgoing-mail\n"
                     "type: mail_queue\n"
                     "every: 1m\n"
                     "critical: [oldest_seconds > 30m, deferred > 2000 for 5m]\n",
      },
      judge);
}

}  // namespace tocsin
