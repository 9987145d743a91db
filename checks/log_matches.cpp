#include "checks/log_matches.hpp"

#include <algorithm>

#include "checks/redaction.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t lines_told = 8;
constexpr std::size_t lines_kept = 4;  // Of each pattern.
/// What of a line can be shown: four bytes a character at most.
constexpr std::size_t kept_bytes = 4 * limits::evidence_line_characters;

RE2::Options quiet() {
  RE2::Options options{RE2::Quiet};
  return options;
}

}  // namespace

LogMatches::LogMatches(const LogPatterns& patterns, Duration window) : window_{window} {
  set_ = std::make_unique<RE2::Set>(quiet(), RE2::UNANCHORED);
  for (const auto& [name, pattern] : patterns) {
    names_.push_back(name);
    counts_.emplace_back(window);
    alone_.push_back(std::make_unique<RE2>(pattern.text, quiet()));
    if (set_ && set_->Add(pattern.text, nullptr) < 0) set_.reset();
  }
  if (set_ && !set_->Compile()) set_.reset();
  last_.resize(names_.size());
}

void LogMatches::take(std::string_view line, SteadyTime now) {
  matching_.clear();
  RE2::Set::ErrorInfo fault{};
  const bool judged = set_ != nullptr &&
                      (set_->Match(line, &matching_, &fault) || fault.kind == RE2::Set::kNoError);
  if (!judged) {
    matching_.clear();
    for (std::size_t i = 0; i < alone_.size(); ++i)
      if (RE2::PartialMatch(line, *alone_[i])) matching_.push_back(static_cast<int>(i));
  }
  for (const auto i : matching_) counts_[static_cast<std::size_t>(i)].add(now);
  if (!matching_.empty()) keep(line, now);
}

/// Under the rarest of the patterns that it matches: that one has the least to show otherwise.
void LogMatches::keep(std::string_view line, SteadyTime now) {
  auto rarest = static_cast<std::size_t>(matching_.front());
  for (const auto i : matching_) {
    const auto other = static_cast<std::size_t>(i);
    if (counts_[other].total(now) < counts_[rarest].total(now)) rarest = other;
  }
  auto& kept = last_[rarest];
  if (kept.size() == lines_kept) kept.pop_front();
  // Redacted when it is shown: under a flood most are never shown.
  kept.push_back({now, kept_++, names_[rarest] + ": " + std::string{line.substr(0, kept_bytes)}});
}

std::vector<std::string> LogMatches::last_lines(SteadyTime now) const {
  std::vector<const Kept*> chosen;
  for (std::size_t back = 1; back <= lines_kept; ++back)
    for (const auto& kept : last_)
      if (kept.size() >= back && chosen.size() < lines_told &&
          now - kept[kept.size() - back].at <= window_)
        chosen.push_back(&kept[kept.size() - back]);
  std::sort(chosen.begin(), chosen.end(),
            [](const Kept* a, const Kept* b) { return a->number < b->number; });
  std::vector<std::string> lines;
  for (const auto* one : chosen) lines.push_back(redacted(clean_utf8(one->text)));
  return lines;
}

void LogMatches::tell(Evidence& evidence, SteadyTime now) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto count = counts_[i].total(now);
    if (count == 0) continue;
    evidence.lines.push_back(names_[i] + ": " + std::to_string(count) +
                             (count == 1 ? " line" : " lines") + " in the last " +
                             describe(window_));
    if (evidence.lines.size() >= limits::evidence_lines - lines_told) break;
  }
  for (auto& line : last_lines(now)) add_line(evidence, std::move(line));
}

}  // namespace tocsin::checks
