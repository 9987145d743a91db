#include "checks/supervisord.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "checks/net_samples.hpp"
#include "checks/one_or_more.hpp"
#include "checks/reply_by.hpp"
#include "checks/supervised_programs.hpp"
#include "checks/supervisord_evidence.hpp"
#include "checks/supervisord_reply.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/basic_auth.hpp"

namespace tocsin {

using checks::StoppedPrograms;

template <>
struct EnumWords<StoppedPrograms> {
  static std::span<const std::pair<StoppedPrograms, std::string_view>> names() {
    static constexpr std::pair<StoppedPrograms, std::string_view> words[] = {
        {StoppedPrograms::ignore, "ignore"}, {StoppedPrograms::down, "down"}};
    return words;
  }
};

namespace {

using namespace checks;

// Four samples each stay below limits::samples_per_run.
constexpr std::size_t programs_shown_max = 120;
// An answer with a piece of a log: six bytes for the worst character of it, and the frame.
constexpr std::size_t log_reply_bytes_max = 6 * program_log_bytes + 4096;

struct SupervisordParams {
  std::string unix_socket{"/var/run/supervisor.sock"};
  std::optional<Url> url{};
  std::string username{};
  Secret password{};
  OneOrMore programs{};
  OneOrMore except{};
  StoppedPrograms stopped{StoppedPrograms::ignore};
  TlsParams tls{};
  static constexpr auto fields() {
    using Self = SupervisordParams;
    return std::tuple{
        field("unix_socket", &Self::unix_socket,
              "The socket of its [unix_http_server]. It is usually root's alone: give its `chmod` "
              "and `chown` to a group that tocsin is in."),
        field("url", &Self::url,
              "Its [inet_http_server] instead, as http://127.0.0.1:9001; without a path, /RPC2."),
        field("username", &Self::username, "The user name that the server asks for, if it does."),
        field("password", &Self::password, "Its password."),
        field("programs", &Self::programs,
              "Which programs to watch: a program's or group's name, GROUP:NAME or GROUP:*, with * "
              "for anything; empty: all. One that supervisord does not have is down."),
        field("except", &Self::except,
              "Which of them not to watch, as programs that are meant to end."),
        field("stopped", &Self::stopped,
              "What a program is that somebody stopped or that was never started (STOPPED): "
              "`ignore` counts it as neither up nor down, `down` as down."),
        field("tls", &Self::tls, "How the certificate of an https URL is judged.")};
  }
};

constexpr std::array logs{ProgramLog::standard_error, ProgramLog::standard_output};

enum : std::uint16_t {
  up,
  reachable,
  program_up,
  state,
  uptime,
  restarts,
  fatal,
  stopped,
  programs,
  total_seconds
};

const std::vector<SampleSpec>& supervisord_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when supervisord answers and no watched program is down, else 0."},
      {"reachable", Unit::none,
       "1 when supervisord answers the question for its programs, else 0."},
      {"program_up", Unit::none,
       "1 when the program is RUNNING, 0 in any other state or when there is none of that name. "
       "One "
       "that is STARTING is not up yet: let a rule hold for longer than the longest `startsecs`. "
       "One that is STOPPED has no such sample unless `stopped` says so.",
       "program"},
      {"state", Unit::none,
       "supervisord's code: 0 STOPPED, 10 STARTING, 20 RUNNING, 30 BACKOFF, 40 STOPPING, 100 "
       "EXITED, 200 FATAL, 1000 UNKNOWN.",
       "program"},
      {"uptime_seconds", Unit::seconds, "How long the program has run.", "program"},
      {"restarts", Unit::none,
       "How often the program was seen to be started again in the last ten minutes, by whomever.",
       "program"},
      {"fatal", Unit::none, "Watched programs that supervisord has given up starting."},
      {"stopped", Unit::none,
       "Watched programs that somebody stopped. Those that were never started do not count."},
      {"programs", Unit::none, "Watched programs that supervisord has."},
      {"total_seconds", Unit::seconds, "Time until it had answered."},
  };
  return specs;
}

std::vector<ProgramPattern> patterns_of(const OneOrMore& texts) {
  return {texts.values.begin(), texts.values.end()};
}

class SupervisordCheck final : public Check {
 public:
  SupervisordCheck(std::string /*name*/, SupervisordParams params)
      : programs_{{patterns_of(params.programs), patterns_of(params.except), params.stopped}},
        has_credentials_{!params.username.empty()} {
    request_.method = "POST";
    if (params.url) {
      request_.url = *params.url;
      if (request_.url.target == "/") request_.url.target = "/RPC2";
      place_ = to_string(HostPort{request_.url.host, request_.url.port});
    } else {
      request_.unix_socket = params.unix_socket;
      request_.url = {"http", "localhost", 80, "/RPC2"};
      place_ = params.unix_socket;
    }
    request_.headers.emplace_back("Content-Type", "text/xml");
    if (has_credentials_)
      request_.headers.emplace_back("Authorization",
                                    basic_authorization(params.username, params.password).reveal());
    request_.tls = params.tls.options();
  }

  std::span<const SampleSpec> specs() const override { return supervisord_specs(); }

  Task<Samples> run(CheckContext& context) override {
    auto request = request_;
    request.body = program_list_request();
    request.response_bytes_max = supervisord_reply_bytes_max;
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    const auto learnt = outcome.failure ? unreached(*outcome.failure)
                                        : learn(*outcome.response, context.clock.steady());
    if (!learnt) co_return learnt.error();
    co_return samples(outcome.failure ? outcome.failure->times : outcome.response->times);
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    if (!failure_.empty()) {
      tell_of_failure(evidence, context.clock.steady());
      co_return evidence;
    }
    const auto* const notable = tell_of_programs(evidence, programs_);
    if (notable == nullptr) co_return evidence;
    // A copy: what is watched may be another list by the time the log is here.
    const auto program = *notable;
    for (const auto log : logs) {
      if (!(log == ProgramLog::standard_error ? program.has_stderr_log : program.has_stdout_log))
        continue;
      auto reading = read_log(context, program.group + ":" + program.name, log);
      const auto text = co_await std::move(reading);
      if (tell_of_log(evidence, program, log, text)) break;
    }
    co_return evidence;
  }

 private:
  /// No answer came. What is no fault of the other side's is an Error.
  Result<void> unreached(const HttpFailure& failure) {
    const auto& error = failure.error;
    if (says_nothing_of_peer(error) || error.code == Errc::too_large) return error;
    failure_ = error.detail;
    return {};
  }

  /// Takes in an answer, good or bad.
  Result<void> learn(const HttpResponse& response, SteadyTime now) {
    failure_ = refusal(response);
    if (!failure_.empty()) return {};
    auto reply = parse_program_list(response.body);
    if (!reply) {
      const auto why = "the answer of " + place_ + " is refused: " + reply.error().detail;
      if (reply.error().code == Errc::too_large) return Error{Errc::too_large, why};
      failure_ = why;
    } else if (const auto* fault = std::get_if<RpcFault>(&*reply)) {
      failure_ = fault->code == fault_shutting_down
                     ? "supervisord at " + place_ + " is shutting down or starting again"
                     : "supervisord at " + place_ +
                           " would not tell: " + quoted_answer(fault->text) + " (fault " +
                           std::to_string(fault->code) + ")";
    } else {
      programs_.take(std::get<std::vector<SupervisedProgram>>(*std::move(reply)), now);
      answered_at_ = now;
    }
    return {};
  }

  std::string refusal(const HttpResponse& response) const {
    const auto status = " (status " + std::to_string(response.status) + ")";
    if (response.status == 200) return {};
    if (response.status == 401)
      return "supervisord at " + place_ +
             (has_credentials_
                  ? " refused this user name and password"
                  : " asks for a user name and password: give `username` and `password`") +
             status;
    if (response.status == 404)
      return place_ + " has no " + request_.url.target +
             ": that is not supervisord, or another path of it" + status;
    return place_ + " answered with status " + std::to_string(response.status) + ", expected 200";
  }

  Samples samples(const PhaseTimes& times) const {
    Samples samples;
    if (times.total)
      put(samples, total_seconds, std::chrono::duration<double>(*times.total).count());
    put(samples, reachable, failure_.empty() ? 1 : 0);
    if (!failure_.empty()) {
      put(samples, up, 0);
      return samples;
    }
    const auto& list = programs_.list();
    const auto count = [&](auto holds) {
      return static_cast<double>(std::count_if(list.begin(), list.end(), holds));
    };
    put(samples, up, programs_.all_well() ? 1 : 0);
    put(samples, fatal,
        count([](const auto& program) { return program.state == ProgramState::fatal; }));
    put(samples, stopped, count([](const auto& program) {
          return program.state == ProgramState::stopped && program.start != 0;
        }));
    put(samples, programs, static_cast<double>(list.size()));
    std::size_t shown = 0;
    for (const auto& pattern : programs_.missing())
      if (shown++ < programs_shown_max) put(samples, program_up, 0, pattern);
    for (const auto& program : list)
      if (shown++ < programs_shown_max) put_program(samples, program);
    return samples;
  }

  void put_program(Samples& samples, const SupervisedProgram& program) const {
    const auto label = label_of(program);
    if (!programs_.is_ignored(program))
      put(samples, program_up, programs_.is_down(program) ? 0 : 1, label);
    put(samples, state, static_cast<double>(program.state), label);
    put(samples, restarts, static_cast<double>(programs_.restarts_of(program)), label);
    // A clock set back may make a start that is yet to come.
    if (program.state == ProgramState::running && program.start != 0)
      put(samples, uptime,
          static_cast<double>(std::max<std::int64_t>(0, program.now - program.start)), label);
  }

  void tell_of_failure(Evidence& evidence, SteadyTime now) const {
    add_line(evidence, failure_);
    evidence.probable_cause = failure_;
    if (!answered_at_) {
      add_line(evidence, "it has not answered since tocsin began to watch it");
      return;
    }
    const auto running =
        std::count_if(programs_.list().begin(), programs_.list().end(),
                      [](const auto& program) { return program.state == ProgramState::running; });
    add_line(evidence, "last heard of " + describe(now - *answered_at_) + " ago with " +
                           std::to_string(running) + " of " +
                           std::to_string(programs_.list().size()) +
                           " watched programs RUNNING; while it is away nothing restarts them");
  }

  /// The end of a program's log; empty when it cannot be had.
  asio::awaitable<std::string> read_log(CheckContext& context, std::string program,
                                        ProgramLog log) {
    auto request = request_;
    request.body = log_request(log, program, program_log_bytes);
    request.response_bytes_max = log_reply_bytes_max;
    request.deadline = reply_by(context);
    auto asking = context.network.http(std::move(request));
    const auto outcome = co_await std::move(asking);
    if (!outcome.response || outcome.response->status != 200) co_return std::string{};
    auto reply = parse_text_reply(outcome.response->body);
    if (!reply || !std::holds_alternative<std::string>(*reply)) co_return std::string{};
    co_return std::get<std::string>(*std::move(reply));
  }

  HttpRequest request_{};     ///< All but its body and deadline.
  std::string place_{};       ///< Where it is, for sentences.
  WatchedPrograms programs_;  ///< As of its last answer.
  bool has_credentials_;
  std::optional<SteadyTime> answered_at_{};
  std::string failure_{};  ///< Why the last run could not learn of its programs.
};

void judge_params(const SupervisordParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (params.url && map.find("unix_socket") != nullptr)
    complain("unix_socket", "give either the socket or the URL");
  if (params.unix_socket.empty() || params.unix_socket.front() != '/')
    complain("unix_socket", "expected an absolute path, found '" + params.unix_socket + "'");
  if (params.username.empty() != params.password.empty())
    complain(params.username.empty() ? "password" : "username",
             "a user name and a password go together");
  if (params.username.find(':') != std::string::npos)
    complain("username", "basic authentication has no way to say a ':' in a user name");
  for (const auto* key : {"programs", "except"}) {
    const auto& texts = std::string_view{key} == "programs" ? params.programs : params.except;
    for (const auto& text : texts.values)
      if (trim(text).empty() || text.front() == ':')
        complain(key, "expected a program's or group's name, GROUP:NAME or GROUP:*, found '" +
                          text + "'");
  }
}

}  // namespace

CheckType supervisord_check() {
  return check_type<SupervisordParams, SupervisordCheck>(
      {
          .name = "supervisord",
          .summary = "Whether a supervisord answers and its programs run; what it has given up "
                     "starting, and what those programs said last.",
          .samples = supervisord_specs(),
          // The first names the program that is down, the second stands for supervisord itself.
          .default_critical = {"program_up < 1 for 10s", "up < 1 for 10s"},
          .default_warning = {"restarts >= 5"},
          .example = "name: workers\n"
                     "type: supervisord\n"
                     "programs: [\"shop:*\", mailer]\n"
                     "critical: [program_up < 1 for 10s, up < 1 for 10s]\n"
                     "warning: [restarts >= 5, stopped > 0 for 30m]\n",
      },
      judge_params);
}

}  // namespace tocsin
