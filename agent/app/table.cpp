#include "agent/app/table.hpp"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "tocsin/base/text.hpp"

namespace tocsin::app {

namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string_view colour_of(std::string_view word) {
  if (word == "ok" || word == "resolved" || word == "closed" || word == "up") return "\033[32m";
  if (word == "warning" || word == "mitigated" || word == "acknowledged" || word == "pending")
    return "\033[33m";
  if (word == "critical" || word == "open" || word == "dead") return "\033[31m";
  if (word == "unknown") return "\033[35m";
  return "";
}

}  // namespace

bool colour_wanted() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
         std::string_view{term} != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
      size.ws_col < 40)
    return 100;
  return size.ws_col;
}

std::string coloured(std::string_view word, bool colour) {
  const auto start = colour ? colour_of(word) : std::string_view{};
  if (start.empty()) return std::string{word};
  return std::string{start} + std::string{word} + "\033[0m";
}

std::string Table::text(std::size_t width, bool colour) const {
  std::vector<std::size_t> widths;
  for (const auto& title : titles_) widths.push_back(characters(title));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], characters(row[i]));
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + 2;
  const auto last = width > before_last + 20 ? width - before_last : 20;

  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, bool paint) {
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
      const auto is_last = i + 1 == widths.size();
      const auto cell = is_last ? cut_characters(cells[i], last) : cells[i];
      out += paint ? coloured(cell, colour) : cell;
      if (!is_last) out += std::string(widths[i] - std::min(widths[i], characters(cell)) + 2, ' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  line(titles_, false);
  for (const auto& row : rows_) line(row, true);
  return out;
}

}  // namespace tocsin::app
