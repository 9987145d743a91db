#include <algorithm>

#include "agent/policy/wording.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::policy {
namespace {

// Leaves room for "issue-", "-ddmm" and a suffix that the receiver may have to add.
constexpr std::size_t slug_characters = 60;

}  // namespace

std::string slug(std::string_view topic, std::size_t most) {
  std::string out;
  for (const char c : topic) {
    if (out.size() >= most) break;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter) {
      out += c;
    } else if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "incident" : out;
}

std::string channel_name(std::string_view topic, WallTime at, std::string_view zone,
                         const std::vector<std::string>& taken) {
  const auto base = "issue-" + slug(topic, slug_characters) + "-" + to_ddmm(at, zone);
  auto name = base;
  for (std::size_t n = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++n) {
    name = base + "-" + std::to_string(n);
  }
  return name.substr(0, limits::slack_channel_name_characters);
}

std::string channel_marker(const IncidentId& id) { return "tocsin:" + id.value; }

}  // namespace tocsin::policy
