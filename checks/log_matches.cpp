#include "checks/log_matches.hpp"

#include "checks/redaction.hpp"
#include "checks/top_processes.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t lines_kept = 8;

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
  if (!matching_.empty()) keep(names_[static_cast<std::size_t>(matching_.front())], line);
}

void LogMatches::keep(const std::string& name, std::string_view line) {
  if (last_.size() == lines_kept) last_.pop_front();
  // Redacted when it is shown: under a flood most are never shown.
  last_.push_back(name + ": " + std::string{line.substr(0, limits::log_line_bytes)});
}

void LogMatches::tell(Evidence& evidence, SteadyTime now) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto count = counts_[i].total(now);
    if (count == 0) continue;
    evidence.lines.push_back(names_[i] + ": " + std::to_string(count) +
                             (count == 1 ? " line" : " lines") + " in the last " +
                             describe(window_));
    if (evidence.lines.size() == limits::evidence_lines - lines_kept) break;
  }
  for (const auto& line : last_) add_line(evidence, redacted(clean_utf8(line)));
}

}  // namespace tocsin::checks
