#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::house {

/// One file of ours, as lines. `path` is relative to the checkout: "agent/store/ledger.hpp".
struct SourceFile {
  std::string path;
  std::vector<std::string> lines;
  bool is_header() const { return path.ends_with(".hpp"); }
  bool in(std::string_view folder) const { return path.starts_with(std::string{folder} + "/"); }
};

/// Every C++ file below these folders of the checkout, by path.
inline std::vector<SourceFile> sources(const std::vector<std::string>& folders) {
  namespace fs = std::filesystem;
  std::vector<SourceFile> files;
  const fs::path root{TOCSIN_SOURCE_DIR};
  for (const auto& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
      SourceFile file{fs::relative(entry.path(), root).string(), {}};
      std::ifstream stream{entry.path()};
      for (std::string line; std::getline(stream, line);) file.lines.push_back(std::move(line));
      files.push_back(std::move(file));
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

/// The line without what stands behind "//".
inline std::string_view code_of(std::string_view line) {
  const auto comment = line.find("//");
  // "://" is a URL in a string, not a comment.
  if (comment == std::string_view::npos || (comment > 0 && line[comment - 1] == ':')) return line;
  return line.substr(0, comment);
}

}  // namespace tocsin::house
