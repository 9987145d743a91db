// Calls that have one right place each, and words that have none.
#include <gtest/gtest.h>

#include <regex>

#include "tests/unit/house/source_tree.hpp"

namespace tocsin::house {
namespace {

struct Ban {
  std::string what;
  std::vector<std::string> words;  ///< A line without any of these is not looked at closely.
  std::string why;
  std::vector<std::string> folders;     ///< Where it is looked for.
  std::vector<std::string> exceptions;  ///< Folders or files where it belongs.
};

const std::vector<std::string> program{"include", "vocabulary", "checks", "agent"};
const std::vector<std::string> everything{"include", "vocabulary", "checks", "agent", "tests"};

const std::vector<Ban>& bans() {
  static const std::vector<Ban> list{
      {R"((steady_clock|system_clock|high_resolution_clock)::now)",
       {"_clock::now"},
       "take a Clock& or a Now",
       everything,
       {"agent/runtime/", "tests/fakes/", "tests/unit/house/", "tests/integration/"}},
      {R"(\b(steady_timer|system_timer|deadline_timer)\s+\w+[{(;])",
       {"_timer"},
       "wait with Clock::sleep_until or a Wakeup",
       program,
       {"agent/runtime/", "include/tocsin/async/wakeup.hpp"}},
      {R"(asio::detached)",
       {"detached"},
       "spawn into a TaskGroup, so that the task has an owner",
       program,
       {"agent/runtime/"}},
      {R"(\b(sleep_for|usleep|nanosleep|this_thread::sleep_until)\s*\(|::sleep\s*\()",
       {"sleep"},
       "nothing here waits by sleeping",
       everything,
       {"agent/runtime/", "tests/integration/", "tests/unit/house/"}},
      {R"(\b(std::system|popen|std::tmpnam|strtok|gmtime|localtime|setenv|putenv)\s*\()",
       {"system", "popen", "tmpnam", "strtok", "time(", "env("},
       "a shell, or a call that is not safe beside other threads",
       program,
       {}},
      {R"(\bcatch\s*\(.*\)\s*\{[^}]*co_await)",
       {"catch"},
       "no co_await in a catch block",
       program,
       {}},
      {R"(co_await.*\[[&=\w, ]*\]\s*[({])",
       {"co_await"},
       "name the lambda first: g++ 12 destroys it twice otherwise",
       program,
       {}},
      {R"(\bDEBUG_|\bTODO\b|\bFIXME\b|\bXXX\b)",
       {"DEBUG_", "TODO", "FIXME", "XXX"},
       "finish it, or file it",
       everything,
       {"tests/unit/house/"}},
      {R"(using namespace std;)",
       {"using namespace std;"},
       "names are said in full",
       everything,
       {"tests/unit/house/"}},
  };
  return list;
}

TEST(BannedCalls, AreWhereTheyBelong) {
  const auto files = sources(everything);
  for (const auto& ban : bans()) {
    const std::regex pattern{ban.what, std::regex::ECMAScript | std::regex::optimize};
    for (const auto& file : files) {
      const auto is_in = [&](const std::string& folder) { return file.path.starts_with(folder); };
      if (std::ranges::none_of(ban.folders, [&](const auto& folder) { return file.in(folder); }))
        continue;
      if (std::ranges::any_of(ban.exceptions, is_in)) continue;
      for (std::size_t i = 0; i < file.lines.size(); ++i) {
        const std::string code{code_of(file.lines[i])};
        const auto holds = [&](const auto& word) { return code.find(word) != std::string::npos; };
        if (std::ranges::none_of(ban.words, holds)) continue;
        EXPECT_FALSE(std::regex_search(code, pattern))
            << file.path << ":" << i + 1 << ": " << file.lines[i] << "\n  " << ban.why;
      }
    }
  }
}

TEST(BannedCalls, AreFoundByTheirPatterns) {
  const auto found = [](std::size_t index, const std::string& line) {
    const auto& ban = bans()[index];
    const auto holds = [&](const auto& word) { return line.find(word) != std::string::npos; };
    return std::ranges::any_of(ban.words, holds) && std::regex_search(line, std::regex{ban.what});
  };
  EXPECT_TRUE(found(0, "auto now = std::chrono::steady_clock::now();"));
  EXPECT_TRUE(found(1, "  asio::steady_timer timer{executor};"));
  EXPECT_FALSE(found(1, "#include <boost/asio/steady_timer.hpp>"));
  EXPECT_TRUE(found(2, "co_spawn(loop, work(), asio::detached);"));
  EXPECT_TRUE(found(3, "std::this_thread::sleep_for(1s);"));
  EXPECT_FALSE(found(3, "co_await clock.sleep_until(deadline);"));
  EXPECT_TRUE(found(6, "co_await run([&] { return 1; });"));
  EXPECT_FALSE(found(6, "co_await std::move(work);"));
}

}  // namespace
}  // namespace tocsin::house
