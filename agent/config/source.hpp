#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin::config {

/// The text of one file, kept so that complaints can point into it. Columns count characters, not
/// bytes.
class Source {
 public:
  Source(std::string name, std::string text);
  const std::string& name() const { return *name_; }
  const std::string& text() const { return text_; }
  /// The line without its end; empty when there is no such line. Lines start at 1.
  std::string_view line(int number) const;
  /// The file as a whole.
  Place whole() const { return {name_, 0, 0}; }
  /// The place of a byte of a line, counted from 0.
  Place place(int line, std::size_t byte) const;
  /// The place of a byte of a scalar's text. Where escapes or folding make that unclear: where the
  /// scalar begins.
  Place inside(const Node& scalar, std::size_t offset) const;
  bool holds(const Place& place) const { return place.file == name_; }

 private:
  std::shared_ptr<const std::string> name_;
  std::string text_;
  std::vector<std::size_t> line_begins_;
};

/// Every file of one configuration, in the order of loading. References stay valid.
class Sources {
 public:
  const Source& add(std::string name, std::string text);
  /// The file a place lies in, or null.
  const Source* find(const Place& place) const;
  /// The place of a byte of a scalar's text, whichever file it is in.
  Place inside(const Node& scalar, std::size_t offset) const;
  /// Which file of the order a place lies in.
  std::size_t rank(const Place& place) const;

 private:
  std::deque<Source> all_;
};

/// The text of a regular file of at most limits::config_file_bytes. Errors name the file.
Result<std::string> read_config_file(const std::string& path);

}  // namespace tocsin::config
