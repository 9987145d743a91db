#include "checks/unit_name.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "checks/net_samples.hpp"

namespace tocsin::checks {
namespace {

// systemd.unit(5): at most 255 characters, made of these; a glob's besides.
constexpr std::size_t unit_name_characters_max = 255;
constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
constexpr std::string_view glob_characters = "*?[";
constexpr std::string_view bracket_characters = "]!^";

constexpr std::array<std::string_view, 11> kinds{"service", "socket",    "target", "device",
                                                 "mount",   "automount", "swap",   "timer",
                                                 "path",    "slice",     "scope"};

bool is_kind(std::string_view text) {
  return std::find(kinds.begin(), kinds.end(), text) != kinds.end();
}

}  // namespace

std::string_view kind_of_unit(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

bool is_unit_glob(std::string_view name) {
  return name.find_first_of(glob_characters) != std::string_view::npos;
}

bool fits_unit_glob(const std::string& glob, const std::string& name) {
  return fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

std::string whole_unit_name(std::string_view text) {
  const auto kind = kind_of_unit(text);
  if (is_kind(kind) || is_unit_glob(kind)) return std::string{text};
  return std::string{text} + ".service";
}

std::optional<std::string> fault_of_unit_name(std::string_view text) {
  const auto found = ", found " + quoted_answer(text);
  if (text.find('/') != std::string_view::npos)
    return "expected a unit's name, as `systemd-escape --path --suffix=mount PATH` makes it of a "
           "path" +
           found;
  const bool has_glob = is_unit_glob(text);
  const auto is_fit = [&](char c) {
    return name_characters.find(c) != std::string_view::npos ||
           (has_glob && (glob_characters.find(c) != std::string_view::npos ||
                         bracket_characters.find(c) != std::string_view::npos));
  };
  const auto name = whole_unit_name(text);
  if (text.empty() || text.front() == '.' || name.size() > unit_name_characters_max ||
      !std::all_of(text.begin(), text.end(), is_fit))
    return "expected a unit's name or a glob of names" + found;
  const auto at = name.find('@');
  if (at == 0 || (!has_glob && at != std::string::npos && name[at + 1] == '.' &&
                  name.find('.', at) == name.rfind('.')))
    return "a template is no unit: give it an instance, as in worker@1.service" + found;
  return std::nullopt;
}

}  // namespace tocsin::checks
