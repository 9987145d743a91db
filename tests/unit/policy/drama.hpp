#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "agent/policy/incident_machine.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::policy {

/// One incident from its opening on, on a clock that only moves when told to.
class Drama {
 public:
  Drama() {
    rules.slack = true;
    rules.page_service = "sre";
    rules.invite = {"@sre", "jane@example.com"};
    rules.escalation = {{std::chrono::minutes{15}, "managers", {}},
                        {std::chrono::minutes{30}, "", {"@cto"}}};
  }

  IncidentPolicy rules;
  History history;
  Incident incident;
  // 22 November 2026, 21:37:40 UTC.
  Now now{SteadyTime{std::chrono::hours{3}}, WallTime{std::chrono::seconds{1795383460}}};
  std::vector<TimelineLine> timeline;  ///< All lines so far.
  Step last;

  static AlertNews news(const std::string& check = "nginx", Severity severity = Severity::critical,
                        const std::string& type = "process") {
    AlertNews news;
    news.check = check;
    news.type = type;
    news.topic = "nginx";
    news.component = check;
    news.host = "web-1";
    news.severity = severity;
    news.why = check + " is bad";
    news.owners = {"@sre", "@platform"};
    news.runbook = "https://runbooks.example.com/nginx";
    return news;
  }

  void pass(Duration time) {
    now.steady += time;
    now.wall += std::chrono::duration_cast<WallTime::duration>(time);
  }

  const Step& open(const AlertNews& first = news()) {
    last = policy::open(rules, IncidentId{"01jd3k7m-x7q2p"}, first, history, now);
    return adopt();
  }
  const Step& give(const Input& input) {
    last = step(rules, incident, input, now);
    return adopt();
  }
  const Step& tick_after(Duration time) {
    pass(time);
    return give(Tick{});
  }
  const Step& settle(const Effect& effect, Settled::Outcome outcome = Settled::Outcome::delivered,
                     const std::string& detail = {}) {
    Settled settled;
    settled.effect = effect;
    settled.outcome = outcome;
    settled.detail = detail;
    return give(settled);
  }

  /// To be resolved: recovered, and the hold over.
  void recover_and_resolve(const std::string& check = "nginx") {
    give(AlertRecovered{check});
    tick_after(rules.recover_hold);
  }

  /// The last step's effects by name: "trigger_page create_channel …".
  std::string effects() const {
    std::string names;
    for (const auto& effect : last.effects) {
      names += (names.empty() ? "" : " ") + std::string{effect_name(effect)};
    }
    return names;
  }
  /// The last step's lines by kind.
  std::string kinds() const {
    std::string names;
    for (const auto& line : last.timeline) {
      names += (names.empty() ? "" : " ") + std::string{to_string(line.kind)};
    }
    return names;
  }
  /// The last step's posts, one a line.
  std::string posts() const {
    std::string texts;
    for (const auto& effect : last.effects) {
      if (const auto* post = std::get_if<Post>(&effect)) texts += post->text + "\n";
    }
    return texts;
  }
  std::string lines() const {
    std::string texts;
    for (const auto& line : last.timeline) texts += line.text + "\n";
    return texts;
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& effect : last.effects) {
      if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
    }
    return found;
  }

 private:
  const Step& adopt() {
    incident = last.next;
    timeline.insert(timeline.end(), last.timeline.begin(), last.timeline.end());
    return last;
  }
};

}  // namespace tocsin::policy
