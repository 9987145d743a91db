#include "agent/config/report.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::config {
namespace {

constexpr std::size_t excerpt_characters = 120;
constexpr std::size_t characters_before_caret = 80;

/// Code points apart, so that a long line can be cut around the caret. The source is valid UTF-8.
std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if (out.empty() || (static_cast<unsigned char>(c) & 0xC0u) != 0x80u) out.emplace_back();
    out.back() += c;
  }
  return out;
}

/// The source line and a caret below the column; a long line is cut around it.
std::string excerpt(const Source& source, const Place& where, bool confidential) {
  const auto number = std::to_string(where.line);
  const auto margin = std::string(number.size() < 5 ? 5 - number.size() : 0, ' ') + number + " | ";
  if (confidential) return margin + "(not shown: a secret may stand here)\n";
  auto characters = characters_of(mask_credentials(source.line(where.line)));
  auto caret = static_cast<std::size_t>(std::max(1, where.column)) - 1;
  std::string shown;
  std::size_t begin = 0;
  if (characters.size() > excerpt_characters && caret > characters_before_caret) {
    begin = caret - characters_before_caret;
    shown = "…";
    caret = characters_before_caret + 1;
  }
  const auto end = std::min(characters.size(), begin + excerpt_characters);
  for (auto i = begin; i < end; ++i) shown += characters[i] == "\t" ? " " : characters[i];
  if (end < characters.size()) shown += "…";
  return margin + shown + "\n" + std::string(margin.size() - 2, ' ') + "| " +
         std::string(caret, ' ') + "^\n";
}

std::string heading(const Complaint& complaint, const Sources& sources) {
  std::string out;
  if (const auto* source = sources.find(complaint.where))
    out = source->name() + ":";
  else if (complaint.where.file)
    out = *complaint.where.file + ":";
  if (complaint.where.line > 0) {
    out +=
        std::to_string(complaint.where.line) + ":" + std::to_string(complaint.where.column) + ":";
  }
  if (!out.empty()) out += " ";
  if (!complaint.path.empty()) out += complaint.path + ": ";
  return out + complaint.message + "\n";
}

}  // namespace

std::vector<Complaint> in_order(const Complaints& complaints, const Sources& sources) {
  auto out = complaints.all();
  const auto key = [&](const Complaint& c) {
    return std::tuple{sources.rank(c.where), c.where.line, c.where.column};
  };
  std::ranges::stable_sort(out, {}, key);
  const auto same = [&](const Complaint& a, const Complaint& b) {
    return key(a) == key(b) && a.path == b.path && a.message == b.message;
  };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

std::string describe(const std::vector<Complaint>& complaints, const Sources& sources) {
  // A line that may hold a secret is quoted for none of its complaints.
  std::set<std::pair<std::size_t, int>> confidential;
  for (const auto& complaint : complaints)
    if (complaint.confidential)
      confidential.emplace(sources.rank(complaint.where), complaint.where.line);
  std::string out;
  for (std::size_t i = 0; i < std::min(complaints.size(), limits::complaints_shown); ++i) {
    const auto& complaint = complaints[i];
    out += heading(complaint, sources);
    const auto* source = sources.find(complaint.where);
    if (source == nullptr || complaint.where.line < 1) continue;
    out += excerpt(*source, complaint.where,
                   confidential.contains({sources.rank(complaint.where), complaint.where.line}));
  }
  const auto shown = std::min(complaints.size(), limits::complaints_shown);
  if (shown < complaints.size())
    out += "… and " + std::to_string(complaints.size() - shown) + " more\n";
  return out;
}

}  // namespace tocsin::config
