// Slack and PagerDuty on loopback, for integration tests, benchmarks and people who want to look at
// what tocsin sends.

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>

#include "tests/fakes/program/control.hpp"
#include "tests/fakes/program/loopback_server.hpp"

namespace tocsin::fakes {
namespace {

namespace json = boost::json;

constexpr std::string_view usage =
    "usage: fake_receivers [--port N] [--log]\n"
    "  --port N  serve Slack on N, PagerDuty on N+1, the controls on N+2; 0 (the default): free "
    "ports\n"
    "  --log     print every call that arrives as one line of JSON\n";

struct Settings {
  std::uint16_t port{0};
  bool log{false};
};

std::optional<Settings> read_settings(int count, char** words) {
  Settings settings{};
  for (int at = 1; at < count; ++at) {
    const std::string_view word{words[at]};
    if (word == "--log") {
      settings.log = true;
    } else if (word == "--port" && at + 1 < count) {
      const std::string_view number{words[++at]};
      const auto [rest, problem] =
          std::from_chars(number.data(), number.data() + number.size(), settings.port);
      if (problem != std::errc{} || rest != number.data() + number.size()) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return settings;
}

Now real_now() {
  return {std::chrono::steady_clock::now(),
          std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
}

void say(const json::object& line) {
  const auto text = json::serialize(line);
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

class Program {
 public:
  explicit Program(Settings settings)
      : log_{settings.log},
        slack_{loop_, port(settings, 0),
               [this](const HttpCall& call) { return serve("slack", *vendors_.slack, call); }},
        pagerduty_{
            loop_, port(settings, 1),
            [this](const HttpCall& call) { return serve("pagerduty", *vendors_.pagerduty, call); }},
        controls_{loop_, port(settings, 2), [this](const HttpCall& call) {
                    return Played{.end = Played::End::answered,
                                  .reply = control_.handle(call),
                                  .body_delay = Duration{0},
                                  .carried_out = true};
                  }} {}

  void run() {
    say({{"slack", "http://" + slack_.address() + "/api/"},
         {"pagerduty", "http://" + pagerduty_.address() + "/v2/enqueue"},
         {"control", "http://" + controls_.address() + "/control"},
         {"slack_token", FakeSlack::bot_token}});
    asio::signal_set signals{loop_, SIGINT, SIGTERM};
    signals.async_wait([this](boost::system::error_code, int) { loop_.stop(); });
    loop_.run();
  }

 private:
  static std::uint16_t port(const Settings& settings, int offset) {
    return settings.port == 0 ? std::uint16_t{0}
                              : static_cast<std::uint16_t>(settings.port + offset);
  }

  Played serve(std::string_view name, Receiver& receiver, const HttpCall& call) {
    const auto at = real_now().steady.time_since_epoch().count();
    auto played = play(receiver, call);
    if (log_) log(name, receiver, call, played, at);
    return played;
  }

  void log(std::string_view name, const Receiver& receiver, const HttpCall& call,
           const Played& played, std::int64_t at_ns) {
    json::object line{{"at_ns", at_ns},
                      {"receiver", name},
                      {"operation", receiver.operation(call)},
                      {"status", played.end == Played::End::answered ? played.reply.status : 0},
                      {"carried_out", played.carried_out}};
    const auto& journal = vendors_.pagerduty->journal();
    if (name == "pagerduty" && !journal.empty() && journal.back().number != logged_event_) {
      logged_event_ = journal.back().number;
      line["action"] = journal.back().action;
      line["dedup_key"] = journal.back().dedup_key;
      line["became"] = to_string(journal.back().became);
    } else if (name == "slack" && played.reply.body.size() < 4096 &&
               played.end == Played::End::answered) {
      boost::system::error_code problem;
      const auto body = json::parse(played.reply.body, problem);
      if (!problem && body.is_object() && body.get_object().contains("error"))
        line["error"] = body.at("error");
    }
    say(line);
  }

  // A receiver that is down has its port closed, so that connecting to it is refused.
  void follow_down() {
    vendors_.slack->faults().down() ? slack_.close() : slack_.open();
    vendors_.pagerduty->faults().down() ? pagerduty_.close() : pagerduty_.open();
  }

  asio::io_context loop_{1};
  bool log_;
  std::uint64_t logged_event_{0};
  Vendors vendors_{real_now};
  Control control_{vendors_, [this] { follow_down(); }};
  LoopbackServer slack_;
  LoopbackServer pagerduty_;
  LoopbackServer controls_;
};

}  // namespace
}  // namespace tocsin::fakes

int main(int count, char** words) {
  const auto settings = tocsin::fakes::read_settings(count, words);
  if (!settings) {
    std::fputs(tocsin::fakes::usage.data(), stderr);
    return 2;
  }
  try {
    tocsin::fakes::Program program{*settings};
    program.run();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "fake_receivers: %s\n", problem.what());
    return 1;
  }
  return 0;
}
