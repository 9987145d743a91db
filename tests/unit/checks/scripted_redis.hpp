#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/checks/scripted_network.hpp"

namespace tocsin::checks_test {

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}
inline std::string number(long long value) { return ":" + std::to_string(value) + "\r\n"; }
inline std::string array(const std::vector<std::string>& items) {
  auto out = "*" + std::to_string(items.size()) + "\r\n";
  for (const auto& item : items) out += item;
  return out;
}

/// A Redis that answers each command, written as its words with blanks between, as it was told to.
class ScriptedRedis final : public ScriptedNetwork {
 public:
  std::map<std::string, std::string> replies{};
  std::vector<std::string> commands{};

  ScriptedRedis() {
    replies["PING"] = "+PONG\r\n";
    peer = [this](std::string_view said_now) { return answer(said_now); };
  }

 private:
  static std::string_view line(std::string_view& text) {
    const auto end = text.find("\r\n");
    const auto first = text.substr(0, end);
    text.remove_prefix(end + 2);
    return first;
  }
  std::string answer(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      auto words = std::atoi(std::string{line(text).substr(1)}.c_str());
      std::string command;
      for (; words > 0; --words) {
        const auto size = std::strtoul(std::string{line(text).substr(1)}.c_str(), nullptr, 10);
        command += (command.empty() ? "" : " ") + std::string{text.substr(0, size)};
        text.remove_prefix(size + 2);
      }
      commands.push_back(command);
      const auto found = replies.find(command);
      out += found != replies.end() ? found->second : "-ERR unknown command '" + command + "'\r\n";
    }
    return out;
  }
};

}  // namespace tocsin::checks_test
