// Files and functions stay short. What is longer is listed with its length: it may shrink, never
// grow.
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/house/source_tree.hpp"

namespace tocsin::house {
namespace {

constexpr std::size_t file_lines_most = 400;
constexpr std::size_t function_lines_most = 60;

/// Files that are longer, and why that is well.
const std::map<std::string, std::size_t>& long_files() {
  static const std::map<std::string, std::size_t> files{};
  return files;
}
/// Functions that are longer, as "file:name".
const std::map<std::string, std::size_t>& long_functions() {
  static const std::map<std::string, std::size_t> functions{};
  return functions;
}

const std::vector<std::string> program{"include", "vocabulary", "checks", "agent"};

template <class Found>
void expect_ratchet(const std::map<std::string, std::size_t>& listed, const Found& found,
                    std::size_t most) {
  for (const auto& [name, lines] : found) {
    const auto entry = listed.find(name);
    if (entry == listed.end()) {
      EXPECT_LE(lines, most) << name << " has grown too long: split it by noun";
    } else {
      EXPECT_LE(lines, entry->second) << name << " was long already and has grown: split it";
      EXPECT_GT(lines, most) << name << " is short enough now: remove its entry from this test";
    }
  }
  for (const auto& [name, lines] : listed)
    EXPECT_TRUE(found.contains(name)) << name << " is listed and gone";
}

TEST(Length, OfFilesIsBounded) {
  std::map<std::string, std::size_t> found;
  for (const auto& file : sources(program))
    if (file.lines.size() > file_lines_most || long_files().contains(file.path))
      found[file.path] = file.lines.size();
  expect_ratchet(long_files(), found, file_lines_most);
}

/// The name in front of the parameters.
std::string name_of(std::string_view line) {
  const auto open = line.find('(');
  if (open == std::string_view::npos) return {};
  auto begin = open;
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':' || c == '~';
  };
  while (begin > 0 && is_name(line[begin - 1])) --begin;
  return std::string{line.substr(begin, open - begin)};
}

/// Lines of each function, found by the layout that clang-format gives: a body ends at a brace as
/// far in as its head.
std::map<std::string, std::size_t> functions_of(const SourceFile& file) {
  std::map<std::string, std::size_t> found;
  for (const std::string_view indent : {"", "  "}) {
    std::size_t head = 0;
    std::string name;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto& line = file.lines[i];
      const bool at_depth =
          line.starts_with(indent) && line.size() > indent.size() && line[indent.size()] != ' ';
      if (!at_depth) continue;
      const auto text = std::string_view{line}.substr(indent.size());
      if (text == "}" || text == "};") {
        if (!name.empty())
          found[file.path + ":" + name] = std::max(found[file.path + ":" + name], i - head + 1);
        name.clear();
      } else if (text.find('(') != std::string_view::npos && !text.starts_with("if ") &&
                 !text.starts_with("for ") && !text.starts_with("while ") &&
                 !text.starts_with("switch ") && !text.ends_with(";")) {
        head = i;
        name = name_of(text);
      } else if (text.ends_with(";") || text.starts_with("namespace") ||
                 text.starts_with("struct") || text.starts_with("class") ||
                 text.starts_with("enum")) {
        name.clear();
      }
    }
  }
  return found;
}

TEST(Length, OfFunctionsIsBounded) {
  std::map<std::string, std::size_t> found;
  for (const auto& file : sources(program)) {
    for (const auto& [name, lines] : functions_of(file))
      if (lines > function_lines_most || long_functions().contains(name)) found[name] = lines;
  }
  expect_ratchet(long_functions(), found, function_lines_most);
}

TEST(Length, IsMeasured) {
  SourceFile file{
      "a.cpp",
      {"namespace x {", "int f(int a) {", "  if (a) {", "    return 1;", "  }", "  return 2;", "}",
       "class C {", "  void g() {", "    return;", "  }", "};", "}  // namespace x"}};
  const auto functions = functions_of(file);
  EXPECT_EQ(functions.at("a.cpp:f"), 6u);
  EXPECT_EQ(functions.at("a.cpp:g"), 3u);
  EXPECT_EQ(functions.size(), 2u);
}

}  // namespace
}  // namespace tocsin::house
