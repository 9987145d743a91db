#include "tests/integration/agent.hpp"

#include <charconv>
#include <cmath>
#include <csignal>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace tocsin::integration {
namespace {

/// "127.0.0.1:PORT" of a URL.
std::string address_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  const auto rest = url.substr(begin + 3);
  return std::string{rest.substr(0, rest.find('/'))};
}

}  // namespace

FakeReceivers::FakeReceivers()
    : program_{
          std::make_unique<Program>(std::vector<std::string>{FAKE_RECEIVERS_PROGRAM, "--log"})} {
  const auto line = program_->wait_for_line("\"control\"");
  if (!line) throw std::runtime_error{"fake_receivers did not start: " + program_->text()};
  const auto urls = json::parse(*line);
  slack_url_ = text_at(urls, "slack");
  pagerduty_url_ = text_at(urls, "pagerduty");
  slack_token_ = text_at(urls, "slack_token");
  control_address_ = address_of(text_at(urls, "control"));
}

json::value FakeReceivers::state() const {
  return ask_tcp(control_address_, {.target = "/control/state"}).json();
}

bool FakeReceivers::wait_until(const std::function<bool(const json::value&)>& holds,
                               Duration timeout) const {
  const auto deadline = steady_now() + timeout;
  for (;;) {
    const auto seen = program_->mark();
    if (holds(state())) return true;
    const auto left = deadline - steady_now();
    if (left <= Duration{0}) return false;
    program_->wait_for_more(seen, std::min<Duration>(left, 1s));
  }
}

void FakeReceivers::control(std::string_view what, const json::value& body) const {
  const auto answer = ask_tcp(
      control_address_,
      {.method = "POST", .target = "/control/" + std::string{what}, .body = json::serialize(body)});
  if (answer.status != 200) throw std::runtime_error{"fake_receivers: " + answer.body};
}

void FakeReceivers::down(std::string_view receiver) const {
  control("fault", json::object{{"receiver", receiver}, {"kind", "down"}});
}

const json::value& FakeReceivers::channel(const json::value& state, std::string_view name) {
  for (const auto& each : items(at(state, "slack", "channels"))) {
    if (text_at(each, "name") == name) return each;
  }
  return member(state, "none");
}

const std::string& Agent::binary() {
  static const std::string path{TOCSIN_PROGRAM};
  return path;
}

Agent::Agent(const FakeReceivers* receivers)
    : receivers_{receivers}, config_path_{folder_ / "tocsin.yaml"} {}

void Agent::configure(std::string_view body, std::string_view incidents) {
  std::ostringstream yaml;
  yaml << "environment: integration\nhost: web-1\ntimezone: UTC\nstate_dir: " << state_dir()
       << "\nhttp: {listen: \"127.0.0.1:0\"}\n";
  if (receivers_ != nullptr) {
    folder_.write("slack.token", receivers_->slack_token() + "\n");
    folder_.write("pagerduty.key", std::string{routing_key} + "\n");
    yaml << "slack:\n  token: {file: slack.token}\n  api_url: " << receivers_->slack_url()
         << "\n  invite: [\"@sre\", \"jane@example.com\"]\n"
         << "pagerduty:\n  events_url: " << receivers_->pagerduty_url()
         << "\n  services: {sre: {routing_key: {file: pagerduty.key}}}\n  page: sre\n";
  }
  yaml << "incidents:\n  owners: {sre: \"@sre\", developer: \"@platform\"}\n" << incidents << body;
  folder_.write("tocsin.yaml", yaml.str());
}

void Agent::start() {
  launch();
  wait_until_up();
}

void Agent::launch() {
  auto words = starter_;
  words.insert(words.end(), {binary(), "run", "--config", config_path_});
  program_ = std::make_unique<Program>(std::move(words));
}

void Agent::wait_until_up() {
  const auto line = program_->wait_for_line(", http://");
  if (!line) throw std::runtime_error{"tocsin did not start: " + program_->text()};
  address_ = address_of(*line);
}

void Agent::stop() {
  program_->signal(SIGTERM);
  const auto exit = program_->wait_for_exit();
  EXPECT_EQ(exit, (Exit{0, 0})) << program_->text();
}

Answer Agent::command(std::vector<std::string> words) const {
  words.insert(words.begin(), binary());
  words.insert(words.end(), {"--config", config_path_});
  return run(std::move(words));
}

json::value Agent::ask(std::vector<std::string> words) const {
  words.emplace_back("--json");
  const auto answer = command(std::move(words));
  boost::system::error_code problem;
  auto value = json::parse(answer.output, problem);
  if (answer.code != 0 || problem) {
    ADD_FAILURE() << "exit " << answer.code << "\n" << answer.output << answer.errors;
    return {};
  }
  return value;
}

Response Agent::post(const std::string& target, const json::value& body) const {
  return ask_unix(state_dir() + "/control.sock",
                  {.method = "POST", .target = target, .body = json::serialize(body)});
}

json::value Agent::wait_for_incident(std::string_view topic, std::string_view state,
                                     Duration timeout) const {
  json::value found{};
  std::string last;
  const auto there = eventually(
      [&] {
        const auto all = incidents();
        last = json::serialize(all);
        for (const auto& each : items(all)) {
          if (text_at(each, "topic") != topic) continue;
          found = each;
          return text_at(each, "state") == state;
        }
        return false;
      },
      timeout);
  if (there) return found;
  ADD_FAILURE() << "no incident of " << topic << " became " << state << ": " << last << "\n"
                << program_->text();
  return {};
}

double Agent::metric(std::string_view series) const {
  std::istringstream lines{get("/metrics").body};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(series) || line.size() <= series.size() || line[series.size()] != ' ')
      continue;
    return std::strtod(line.c_str() + series.size(), nullptr);
  }
  return std::nan("");
}

}  // namespace tocsin::integration
