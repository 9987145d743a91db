#include "checks/supervised_programs.hpp"

#include <algorithm>

#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

/// Whether `text` is what `glob` describes. Walks back to the last '*' only, so its work is bounded
/// by the product of their lengths.
bool fits(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      retry = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool any_matches(const std::vector<ProgramPattern>& patterns, const SupervisedProgram& program) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return pattern.matches(program); });
}

}  // namespace

std::string label_of(const SupervisedProgram& program) {
  return program.group == program.name ? program.name : program.group + ":" + program.name;
}

ProgramPattern::ProgramPattern(std::string text) : text_{std::move(text)} {
  const auto colon = text_.find(':');
  if (colon == std::string::npos) {
    name_ = text_;
    return;
  }
  group_ = text_.substr(0, colon);
  name_ = text_.substr(colon + 1);
  if (name_.empty()) name_ = "*";  // As supervisorctl reads "GROUP:".
}

bool ProgramPattern::matches(const SupervisedProgram& program) const {
  if (group_.empty()) return fits(name_, program.name) || fits(name_, program.group);
  return fits(group_, program.group) && fits(name_, program.name);
}

void RestartCount::look(const std::vector<SupervisedProgram>& programs, SteadyTime now) {
  for (auto& [label, seen] : seen_) seen.present = false;
  for (const auto& program : programs) {
    auto [place, is_new] = seen_.try_emplace(label_of(program));
    auto& seen = place->second;
    const bool other_process = program.pid != 0 && seen.pid != 0 && program.pid != seen.pid;
    // A first start is none again. A clock set back moves the time of a start backwards.
    const bool later_start = seen.start != 0 && program.start > seen.start;
    if (!is_new && (other_process || later_start)) {
      if (seen.restarts.size() >= limits::restarts_counted)
        seen.restarts.erase(seen.restarts.begin());
      seen.restarts.push_back(now);
    }
    seen.start = program.start;
    if (program.pid != 0) seen.pid = program.pid;
    seen.present = true;
    std::erase_if(seen.restarts, [&](SteadyTime at) { return now - at >= limits::restart_window; });
  }
  std::erase_if(seen_, [](const auto& entry) { return !entry.second.present; });
}

std::size_t RestartCount::of(const SupervisedProgram& program) const {
  const auto found = seen_.find(label_of(program));
  return found == seen_.end() ? 0 : found->second.restarts.size();
}

bool WatchedPrograms::is_ignored(const SupervisedProgram& program) const {
  return program.state == ProgramState::stopped && choice_.stopped == StoppedPrograms::ignore;
}

bool WatchedPrograms::is_down(const SupervisedProgram& program) const {
  return program.state != ProgramState::running && !is_ignored(program);
}

bool WatchedPrograms::all_well() const {
  return missing_.empty() && std::none_of(list_.begin(), list_.end(),
                                          [&](const auto& program) { return is_down(program); });
}

void WatchedPrograms::take(std::vector<SupervisedProgram> all, SteadyTime now) {
  missing_.clear();
  for (const auto& pattern : choice_.wanted)
    if (std::none_of(all.begin(), all.end(),
                     [&](const auto& program) { return pattern.matches(program); }))
      missing_.push_back(pattern.text());
  std::erase_if(all, [&](const auto& program) {
    return (!choice_.wanted.empty() && !any_matches(choice_.wanted, program)) ||
           any_matches(choice_.unwanted, program);
  });
  std::stable_partition(all.begin(), all.end(),
                        [&](const auto& program) { return is_down(program); });
  list_ = std::move(all);
  restarts_.look(list_, now);
}

}  // namespace tocsin::checks
