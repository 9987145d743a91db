#include "agent/config/settings.hpp"

namespace tocsin::config {
namespace {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

std::string indent(int depth) { return std::string(static_cast<std::size_t>(depth) * 2, ' '); }

template <class P>
std::string show_block(const P& params, int depth);

/// "key: value" on a line; blocks and maps and lists of blocks indented below their key.
template <class T>
std::string show_value(const std::string& key, const T& value, int depth) {
  if constexpr (is_optional<T>::value) {
    return value ? show_value(key, *value, depth) : std::string{};
  } else if constexpr (Block<T>) {
    return indent(depth) + key + ":\n" + show_block(value, depth + 1);
  } else {
    return indent(depth) + key + ": " + Codec<T>::show(value) + "\n";
  }
}
std::string show_value(const std::string& key,
                       const std::map<std::string, PagerDutyService>& services, int depth) {
  auto out = indent(depth) + key + ":\n";
  for (const auto& [name, service] : services) out += show_value(name, service, depth + 1);
  return out;
}

template <class P>
std::string show_block(const P& params, int depth) {
  std::string out;
  const auto one = [&](const auto& f) {
    out += show_value(std::string{f.name}, params.*(f.member), depth);
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, P::fields());
  return out;
}

}  // namespace

std::string show(const Settings& settings) {
  auto out = show_block(settings, 0);
  if (settings.checks.empty()) return out + "checks: []\n";
  out += "checks:\n";
  for (const auto& check : settings.checks) out += check.shown;
  return out;
}

}  // namespace tocsin::config
