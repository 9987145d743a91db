#include "agent/metrics/exposition.hpp"

#include <charconv>

#include "tocsin/base/text.hpp"

namespace tocsin::metrics {

namespace {

constexpr std::string_view total = "_total";

/// The quality the header gives a media type: 1 when it does not say, 0 when it is not named.
double quality_of(std::string_view accept, std::string_view wanted, std::string_view version) {
  double best = 0;
  for (const auto range : split(accept, ',')) {
    const auto parts = split(range, ';');
    if (parts.empty() || trim(parts.front()) != wanted) continue;
    double quality = 1;
    bool fits = version.empty();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const auto part = trim(parts[i]);
      if (part.starts_with("q=")) std::from_chars(part.data() + 2, part.data() + part.size(), quality);
      if (part.starts_with("version=") && part.substr(8) == version) fits = true;
    }
    if (fits && quality > best) best = quality;
  }
  return best;
}

/// "# TYPE name_total counter" → "# TYPE name counter"; the same for the HELP line before it.
std::string family_line(std::string_view line, std::string_view keyword, bool counter) {
  const auto rest = line.substr(keyword.size());
  const auto name = rest.substr(0, rest.find(' '));
  if (!counter || !name.ends_with(total)) return std::string{line};
  return std::string{keyword} + std::string{name.substr(0, name.size() - total.size())} +
         std::string{rest.substr(name.size())};
}

}  // namespace

Format format_for(std::string_view accept) {
  const auto open = quality_of(accept, "application/openmetrics-text", "1.0.0");
  return open > quality_of(accept, "text/plain", {}) ? Format::openmetrics : Format::text;
}

std::string_view content_type(Format format) {
  switch (format) {
    case Format::text: return "text/plain; version=0.0.4; charset=utf-8";
    case Format::openmetrics: return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return {};
}

std::string to_openmetrics(std::string_view text) {
  static constexpr std::string_view help = "# HELP ";
  static constexpr std::string_view type = "# TYPE ";
  std::string out;
  out.reserve(text.size() + 8);
  std::string_view held;  // A HELP line: it needs to know what the TYPE line after it says.
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.starts_with(help)) {
      held = line;
      continue;
    }
    if (line.starts_with(type)) {
      const auto counter = line.ends_with(" counter");
      if (!held.empty()) out += family_line(held, help, counter) + "\n";
      out += family_line(line, type, counter) + "\n";
      held = {};
      continue;
    }
    out += line;
    out += '\n';
  }
  return out + "# EOF\n";
}

}  // namespace tocsin::metrics
