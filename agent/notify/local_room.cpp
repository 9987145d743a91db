#include "agent/notify/local_room.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tocsin/base/text.hpp"
#include "tocsin/model/severity.hpp"
#include "tocsin/model/summary.hpp"

namespace tocsin::notify {
namespace {

constexpr std::size_t title_columns = 30;
constexpr std::size_t indent = 2;

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// One line of text as words; a word longer than a line is cut into lines of its own.
std::vector<std::string> wrapped_line(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  std::string line;
  for (auto word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!line.empty() && characters_in(line) + 1 + characters_in(word) > columns) {
      lines.push_back(std::move(line));
      line.clear();
    }
    while (characters_in(word) > columns) {
      std::size_t bytes = 0;
      for (std::size_t seen = 0; bytes < word.size(); ++bytes) {
        const bool starts = (static_cast<unsigned char>(word[bytes]) & 0xC0) != 0x80;
        if (starts && seen++ == columns) break;
      }
      lines.emplace_back(word.substr(0, bytes));
      word.remove_prefix(bytes);
    }
    if (!line.empty() && !word.empty()) line += ' ';
    line += word;
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  auto clean = clean_utf8(text);
  std::replace(clean.begin(), clean.end(), '\t', ' ');
  for (const auto part : split(clean, '\n')) {
    for (auto& line : wrapped_line(part, columns)) lines.push_back(std::move(line));
  }
  return lines;
}

std::string_view color_of(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "\x1b[32m";
    case Severity::warning:
      return "\x1b[33m";
    case Severity::critical:
      return "\x1b[31m";
    case Severity::unknown:
      return "\x1b[35m";
  }
  check_that(false, "a severity without a colour");
  return {};
}

/// Writes the parts of the room one under the other.
class Sheet {
 public:
  explicit Sheet(const RoomView& view)
      : view_{view}, columns_{std::max(view.columns, RoomView::columns_least)} {}

  void header();
  void summary();
  void evidence();
  void pages();
  void messages();
  std::string text() && { return std::move(out_); }

 private:
  bool wide() const { return columns_ >= RoomView::columns_wide; }
  std::string painted(std::string_view text, std::string_view color) const {
    return view_.color ? fmt::format("{}{}\x1b[0m", color, text) : std::string{text};
  }
  void heading(std::string_view title) { out_ += "\n" + painted(title, "\x1b[1m") + "\n"; }
  void paragraph(std::string_view text, std::size_t by) {
    for (const auto& line : wrapped(text, columns_ - by))
      out_ += std::string(by, ' ') + line + "\n";
  }
  void field(std::string_view title, std::string_view value);
  void message(const TimelineLine& line);

  const RoomView& view_;
  std::size_t columns_;
  std::string out_{};
};

void Sheet::header() {
  const auto& incident = view_.incident;
  const auto name =
      clean_utf8(incident.channel.name.empty() ? incident.id.value : incident.channel.name);
  const auto ended = incident.resolved_at ? *incident.resolved_at : view_.now;
  const auto lasted = std::max(ended - incident.opened_at, WallTime::duration{0});
  const auto state =
      fmt::format("{}{} · {} · {}", incident.drill ? "DRILL · " : "", to_string(incident.state),
                  to_string(incident.severity), describe(lasted));
  const auto used = characters_in(name) + 1 + characters_in(state);
  const bool fits = used + 2 <= columns_;
  out_ += painted("#" + name, "\x1b[1m");
  out_ += fits ? std::string(columns_ - used, ' ') : "\n";
  out_ += painted(state, color_of(incident.severity)) + "\n";
  paragraph(view_.topic.empty() ? incident.title : view_.topic, 0);
  std::string origin = fmt::format("incident {} · opened {}", incident.id.value,
                                   to_local(incident.opened_at, view_.zone));
  if (incident.generation > 1)
    origin += fmt::format(" · reopened {} times", incident.generation - 1);
  if (!incident.channel.url.empty()) origin += " · " + incident.channel.url;
  if (!incident.previous_channel.empty()) origin += " · previous: #" + incident.previous_channel;
  paragraph(origin, 0);
}

void Sheet::field(std::string_view title, std::string_view value) {
  const auto shown = value.empty() ? std::string_view{"UNKNOWN"} : value;
  if (!wide()) {
    const auto label = cut_characters(title, columns_ - indent);
    out_ += std::string(indent, ' ') + painted(label, "\x1b[2m") + "\n";
    return paragraph(shown, 2 * indent);
  }
  const auto left = indent + title_columns;
  const auto lines = wrapped(shown, columns_ - left);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto label = i == 0 ? std::string{title} : std::string{};
    const auto padding =
        std::string(title_columns - std::min(title_columns, characters_in(label)), ' ');
    out_ += std::string(indent, ' ') + painted(label, "\x1b[2m") + padding + lines[i] + "\n";
  }
}

void Sheet::summary() {
  heading("Summary (pinned)");
  const auto& names = summary_field_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == summary_procedure_fields) heading("Context");
    const auto& value = view_.incident.summary[names[i].field];
    field(names[i].title,
          value.by.empty() ? value.value : fmt::format("{} ({})", value.value, value.by));
  }
}

void Sheet::evidence() {
  if (view_.incident.members.empty()) return;
  heading("Evidence");
  for (const auto& member : view_.incident.members) {
    const auto where =
        member.host.empty() || member.host == view_.incident.host ? "" : " on " + member.host;
    paragraph(fmt::format("{}{}: {}{}", member.check, where, member.why,
                          member.firing ? "" : " (recovered)"),
              indent);
    for (const auto& line : member.evidence.lines) paragraph(line, 2 * indent);
  }
}

void Sheet::pages() {
  heading("Pages");
  if (view_.incident.pages.empty())
    return paragraph("nobody is paged: no PagerDuty is configured", indent);
  for (const auto& page : view_.incident.pages) {
    paragraph(fmt::format("{}: {} ({})", page.service, to_string(page.state), page.key), indent);
  }
}

void Sheet::message(const TimelineLine& line) {
  const auto by = line.by.empty() ? std::string{"tocsin"} : cut_characters(clean_utf8(line.by), 40);
  out_ += "  " + painted(to_local(line.at, view_.zone), "\x1b[2m") + "  " + painted(by, "\x1b[1m") +
          "\n";
  paragraph(line.text.empty() ? to_string(line.kind) : std::string_view{line.text}, 2 * indent);
}

void Sheet::messages() {
  heading("Messages");
  if (view_.timeline.empty()) paragraph("nothing was said yet", indent);
  for (const auto& line : view_.timeline) message(line);
}

}  // namespace

std::string render_room(const RoomView& view) {
  Sheet sheet{view};
  sheet.header();
  sheet.summary();
  sheet.evidence();
  sheet.pages();
  sheet.messages();
  return std::move(sheet).text();
}

}  // namespace tocsin::notify
