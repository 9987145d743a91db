#include "agent/config/source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tocsin/base/limits.hpp"

namespace tocsin::config {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

/// Characters of the first `bytes` bytes.
int characters_before(std::string_view line, std::size_t bytes) {
  const auto part = line.substr(0, bytes);
  return static_cast<int>(
      std::ranges::count_if(part, [](char c) { return !continues_character(c); }));
}

/// Byte at which the column (from 1) begins.
std::size_t byte_of(std::string_view line, int column) {
  std::size_t at = 0;
  for (int seen = 1; at < line.size() && seen < column; ++seen) {
    ++at;
    while (at < line.size() && continues_character(line[at])) ++at;
  }
  return at;
}

}  // namespace

Source::Source(std::string name, std::string text)
    : name_{std::make_shared<const std::string>(std::move(name))},
      text_{std::move(text)},
      line_begins_{0} {
  for (std::size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') line_begins_.push_back(i + 1);
}

std::string_view Source::line(int number) const {
  if (number < 1 || static_cast<std::size_t>(number) > line_begins_.size()) return {};
  const auto begin = line_begins_[static_cast<std::size_t>(number) - 1];
  auto out = std::string_view{text_}.substr(begin);
  out = out.substr(0, out.find('\n'));
  if (out.ends_with('\r')) out.remove_suffix(1);
  return out;
}

Place Source::place(int number, std::size_t byte) const {
  return {name_, number, characters_before(line(number), byte) + 1};
}

Place Source::inside(const Node& scalar, std::size_t offset) const {
  const auto text = line(scalar.place.line);
  if (scalar.text.empty()) return scalar.place;
  const auto at = text.find(scalar.text, byte_of(text, scalar.place.column));
  return at == std::string_view::npos ? scalar.place : place(scalar.place.line, at + offset);
}

const Source& Sources::add(std::string name, std::string text) {
  return all_.emplace_back(std::move(name), std::move(text));
}

const Source* Sources::find(const Place& place) const {
  const auto it =
      std::ranges::find_if(all_, [&](const Source& source) { return source.holds(place); });
  return it == all_.end() ? nullptr : &*it;
}

Place Sources::inside(const Node& scalar, std::size_t offset) const {
  const auto* source = find(scalar.place);
  return source == nullptr ? scalar.place : source->inside(scalar, offset);
}

std::size_t Sources::rank(const Place& place) const {
  const auto it =
      std::ranges::find_if(all_, [&](const Source& source) { return source.holds(place); });
  return static_cast<std::size_t>(it - all_.begin());
}

Result<std::string> read_config_file(const std::string& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) return Error{Errc::missing, "no such file"};
  if (!std::filesystem::is_regular_file(status))
    return Error{Errc::unreadable, "not a regular file"};
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file)
    return Error{Errc::unreadable, std::string{"cannot be opened: "} + std::strerror(errno)};
  std::string text(limits::config_file_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Error{Errc::unreadable, "reading failed half-way"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace tocsin::config
