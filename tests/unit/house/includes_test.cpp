// The tree is the architecture diagram: who may include whom.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "tests/unit/house/source_tree.hpp"

namespace tocsin::house {
namespace {

using Prefixes = std::vector<std::string>;

struct Include {
  std::string target;
  bool quoted{false};
};

std::optional<Include> include_of(std::string_view line) {
  if (!line.starts_with("#include ")) return std::nullopt;
  line.remove_prefix(9);
  if (line.empty()) return std::nullopt;
  const bool quoted = line.front() == '"';
  const auto end = line.find(quoted ? '"' : '>', 1);
  if ((!quoted && line.front() != '<') || end == std::string_view::npos) return std::nullopt;
  return Include{std::string{line.substr(1, end - 1)}, quoted};
}

bool any_prefix(std::string_view text, const Prefixes& prefixes) {
  return std::ranges::any_of(prefixes,
                             [&](const auto& prefix) { return text.starts_with(prefix); });
}

/// "vector", "cstdint": a header of the C++ standard library.
bool is_standard(std::string_view target) {
  return target.find_first_of("./") == std::string_view::npos;
}

/// The room of a file: two folders deep, three below include/, one for checks.
std::string room_of(const std::string& path) {
  const auto parts = path.starts_with("include/") ? 3 : path.starts_with("checks/") ? 1 : 2;
  std::size_t end = 0;
  for (int i = 0; i < parts; ++i) end = path.find('/', end) + 1;
  return path.substr(0, end == 0 ? path.size() : end - 1);
}

/// What each room's files may name in quotes. agent/app is where all meet.
const std::map<std::string, Prefixes>& allowed() {
  static const std::map<std::string, Prefixes> rooms{
      {"include/tocsin/base", {"tocsin/base/"}},
      {"include/tocsin/model", {"tocsin/base/", "tocsin/model/"}},
      {"include/tocsin/config", {"tocsin/base/", "tocsin/config/"}},
      {"include/tocsin/json", {"tocsin/base/", "tocsin/model/", "tocsin/json/"}},
      {"include/tocsin/async", {"tocsin/base/", "tocsin/async/"}},
      {"include/tocsin/net", {"tocsin/base/", "tocsin/async/", "tocsin/config/", "tocsin/net/"}},
      {"include/tocsin/notify",
       {"tocsin/base/", "tocsin/async/", "tocsin/model/", "tocsin/net/", "tocsin/notify/"}},
      {"include/tocsin/check",
       {"tocsin/base/", "tocsin/async/", "tocsin/config/", "tocsin/model/", "tocsin/net/",
        "tocsin/check/"}},
      {"vocabulary/base", {"tocsin/base/", "vocabulary/base/"}},
      {"vocabulary/model", {"tocsin/base/", "tocsin/model/", "vocabulary/model/"}},
      {"vocabulary/config", {"tocsin/base/", "tocsin/config/", "vocabulary/config/"}},
      {"vocabulary/json", {"tocsin/base/", "tocsin/model/", "tocsin/json/", "vocabulary/json/"}},
      {"vocabulary/net",
       {"tocsin/base/", "tocsin/async/", "tocsin/config/", "tocsin/net/", "vocabulary/net/"}},
      {"vocabulary/check", {"tocsin/", "vocabulary/check/"}},
      {"checks", {"tocsin/", "checks/"}},
      {"agent/main.cpp", {"agent/app/", "agent/runtime/"}},
      {"agent/app", {"tocsin/", "agent/"}},
      {"agent/policy", {"tocsin/base/", "tocsin/model/", "agent/policy/"}},
      {"agent/config", {"tocsin/", "agent/config/"}},
      {"agent/runtime", {"tocsin/", "agent/runtime/"}},
      {"agent/schedule", {"tocsin/", "agent/schedule/"}},
      {"agent/store", {"tocsin/", "agent/store/"}},
      {"agent/net", {"tocsin/", "agent/net/"}},
      {"agent/notify", {"tocsin/", "agent/notify/"}},
      {"agent/metrics", {"tocsin/", "agent/metrics/"}},
      {"agent/http", {"tocsin/", "agent/http/"}},
  };
  return rooms;
}

const std::vector<std::string> ours{"include", "vocabulary", "checks", "agent"};

TEST(Includes, GoTheRightWay) {
  for (const auto& file : sources(ours)) {
    const auto rules = allowed().find(room_of(file.path));
    if (rules == allowed().end()) {
      ADD_FAILURE() << file.path
                    << " is in a room that this test does not know: say what it may include";
      continue;
    }
    for (const auto& line : file.lines) {
      const auto include = include_of(line);
      if (!include || !include->quoted) continue;
      EXPECT_TRUE(any_prefix(include->target, rules->second))
          << file.path << " includes " << include->target << ", which its room may not";
    }
  }
}

TEST(Includes, KeepPureRoomsPure) {
  const Prefixes pure{"include/tocsin/base", "include/tocsin/model", "include/tocsin/config",
                      "vocabulary/base",     "vocabulary/model",     "vocabulary/config",
                      "agent/policy",        "include/tocsin/json",  "vocabulary/json"};
  for (const auto& file : sources(ours)) {
    const auto room = room_of(file.path);
    if (std::ranges::find(pure, room) == pure.end()) continue;
    for (const auto& line : file.lines) {
      const auto include = include_of(line);
      if (!include || include->quoted || is_standard(include->target)) continue;
      const bool json = room.ends_with("/json") && include->target.starts_with("boost/json/");
      EXPECT_TRUE(json) << file.path << " includes <" << include->target
                        << ">: this room knows the standard library only";
    }
  }
}

TEST(Includes, KeepLibrariesInTheirRooms) {
  const std::map<std::string, Prefixes> homes{
      {"yaml-cpp/", {"agent/config/", "agent/http/"}},
      {"ares.h", {"checks/"}},
      {"re2/", {"agent/config/", "checks/"}},
      {"pugixml.hpp", {"checks/"}},
      {"hiredis/", {"checks/"}},
      {"libpq-fe.h", {"checks/"}},
      {"mysql.h", {"checks/"}},
      {"SQLiteCpp/", {"agent/store/"}},
      {"sqlite3.h", {"agent/store/"}},
      {"prometheus/", {"agent/metrics/"}},
      {"spdlog/", {"agent/app/"}},
      {"CLI/", {"agent/app/"}},
      {"boost/beast", {"agent/net/", "agent/http/", "agent/app/"}},
      {"openssl/", {"agent/net/", "agent/http/", "vocabulary/net/", "checks/postgres_session.cpp"}},
      {"systemd/", {"checks/"}},
  };
  for (const auto& file : sources(ours)) {
    for (const auto& line : file.lines) {
      const auto include = include_of(line);
      if (!include || include->quoted) continue;
      for (const auto& [library, rooms] : homes) {
        if (!include->target.starts_with(library)) continue;
        EXPECT_TRUE(any_prefix(file.path, rooms))
            << file.path << " includes <" << include->target << ">";
      }
    }
  }
}

TEST(Includes, LetTheVocabularyShowAsioAtMost) {
  for (const auto& file : sources({"include"})) {
    for (const auto& line : file.lines) {
      const auto include = include_of(line);
      if (!include || include->quoted || is_standard(include->target)) continue;
      const bool json =
          file.in("include/tocsin/json") && include->target.starts_with("boost/json/");
      EXPECT_TRUE(json || include->target.starts_with("boost/asio/"))
          << file.path << " shows <" << include->target << ">";
    }
  }
}

TEST(Includes, AreGuarded) {
  auto all = ours;
  all.push_back("tests");
  for (const auto& file : sources(all)) {
    if (!file.is_header()) continue;
    EXPECT_NE(std::ranges::find(file.lines, "#pragma once"), file.lines.end()) << file.path;
  }
}

/// The tests above read what they are meant to read.
TEST(Includes, AreSeenByTheseTests) {
  EXPECT_EQ(room_of("agent/policy/evaluate.cpp"), "agent/policy");
  EXPECT_EQ(room_of("include/tocsin/base/time.hpp"), "include/tocsin/base");
  EXPECT_EQ(room_of("checks/load.cpp"), "checks");
  EXPECT_EQ(room_of("agent/main.cpp"), "agent/main.cpp");
  EXPECT_EQ(include_of("#include \"agent/store/ledger.hpp\"")->target, "agent/store/ledger.hpp");
  EXPECT_FALSE(include_of("#include <vector>")->quoted);
  EXPECT_FALSE(include_of("// #include <vector>"));
  EXPECT_FALSE(is_standard("boost/json.hpp"));
  EXPECT_GT(sources(ours).size(), 100u);
}

}  // namespace
}  // namespace tocsin::house
