#include "checks/mail_server.hpp"

#include <algorithm>

namespace tocsin::checks {

void judge_mail_server(const MailServer& server, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string sentence) {
    auto inner = decoding.at(std::string{key});
    const auto* node = map.find(key);
    inner.complain(node == nullptr ? map : *node, std::move(sentence));
  };
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(server.username, is_control))
    complain("username", "a user name has no control characters");
  if (server.username.empty() != server.password.empty())
    complain(server.username.empty() ? "password" : "username",
             server.username.empty() ? "a password needs a username" : "a user needs a password");
}

}  // namespace tocsin::checks
