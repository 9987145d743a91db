#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/http_client.hpp"
#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// Slack and PagerDuty as one program on loopback (tests/fakes/program), every call logged.
class FakeReceivers {
 public:
  FakeReceivers();

  const std::string& slack_url() const { return slack_url_; }
  const std::string& pagerduty_url() const { return pagerduty_url_; }
  const std::string& slack_token() const { return slack_token_; }

  /// Everything so far: {slack: {channels}, pagerduty: {alerts, events}}.
  json::value state() const;
  /// Looks at the state again after each call that arrives, until `holds` does; says whether it did
  /// in time.
  bool wait_until(const std::function<bool(const json::value&)>& holds,
                  Duration timeout = patience) const;
  /// POST /control/WHAT; throws when the fake does not take it.
  void control(std::string_view what, const json::value& body = json::object{}) const;
  /// Its port is closed; connections are refused.
  void down(std::string_view receiver) const;
  void clear() const { control("clear"); }
  Program& program() { return *program_; }

  /// The channel of this name in a state; null when there is none.
  static const json::value& channel(const json::value& state, std::string_view name);

 private:
  std::unique_ptr<Program> program_;
  std::string slack_url_, pagerduty_url_, slack_token_, control_address_;
};

/// The real agent on a configuration and a folder of its own. Starts when told to, and as often as
/// told to, on the same state.
class Agent {
 public:
  static constexpr std::string_view routing_key = "0123456789abcdef0123456789abcdef";

  /// Without receivers: the local room, nobody paged.
  explicit Agent(const FakeReceivers* receivers = nullptr);

  /// Writes the configuration: this header (host web-1, environment integration, UTC, owners, the
  /// receivers with their secrets in files) and `body`, which holds `checks:` and what else is
  /// wanted. `incidents` are lines of the block `incidents:`, indented by two.
  void configure(std::string_view body, std::string_view incidents = "");
  /// From now on it is started by this command: its own words follow.
  void start_by(std::vector<std::string> command) { starter_ = std::move(command); }
  /// Starts it and waits until it serves; throws with its output when it does not come up.
  void start();
  /// Starts it and does not wait: address() is that of an earlier run.
  void launch();
  /// Waits until a launched agent serves.
  void wait_until_up();
  void stop();  ///< SIGTERM; expects exit code 0.
  void kill() { program_->kill(); }
  Program& program() { return *program_; }

  const std::string& config_path() const { return config_path_; }
  std::string state_dir() const { return folder_ / "state"; }
  const Folder& folder() const { return folder_; }
  const std::string& address() const { return address_; }  ///< "127.0.0.1:PORT"

  /// A command of the same program with --config, to its end.
  Answer command(std::vector<std::string> words) const;
  /// The same with --json; null when it did not exit with 0.
  json::value ask(std::vector<std::string> words) const;
  /// GET over TCP.
  Response get(const std::string& target) const { return ask_tcp(address_, {.target = target}); }
  /// POST over the control socket.
  Response post(const std::string& target, const json::value& body = json::object{}) const;

  /// The incidents, closed ones included, over the API.
  json::value incidents() const { return get("/api/v1/incidents?all=true").json(); }
  /// One incident with its timeline.
  json::value incident(const std::string& id) const {
    return get("/api/v1/incidents/" + id).json();
  }
  /// Waits for the newest incident of a topic to be in a state; its object, or null and the test
  /// has failed.
  json::value wait_for_incident(std::string_view topic, std::string_view state,
                                Duration timeout = patience) const;
  /// One number of /metrics: the line that begins with `series`; NaN when there is none.
  double metric(std::string_view series) const;

  static const std::string& binary();

 private:
  Folder folder_;
  const FakeReceivers* receivers_;
  std::vector<std::string> starter_{};
  std::string config_path_;
  std::string address_;
  std::unique_ptr<Program> program_;
};

}  // namespace tocsin::integration
