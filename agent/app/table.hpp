#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::app {

/// Whether standard output is a terminal that wants colour (NO_COLOR and TERM=dumb are honoured).
bool colour_wanted();
/// How wide the terminal is; 100 when it is not one.
std::size_t terminal_width();
/// The severity or state word in its colour, when colour is wanted.
std::string coloured(std::string_view word, bool colour);

/// Columns for people: each as wide as it needs to be, the last one cut to the terminal. Widths
/// count code points, so that colour and UTF-8 do not push columns about.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_{std::move(titles)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(std::size_t width, bool colour) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tocsin::app
