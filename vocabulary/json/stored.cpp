#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tocsin/json/json.hpp"
#include "vocabulary/json/members.hpp"

namespace tocsin::json {
namespace {

using boost::json::object;
using boost::json::value;

/// Where reading went wrong first, and how.
struct Fault {
  std::string path;
  std::string what;
  bool at(std::string sentence) {
    if (what.empty()) what = std::move(sentence);
    return false;
  }
  bool within(const std::string& step) {
    path = path.empty() ? step : step + "." + path;
    return false;
  }
};

bool read_word(std::string_view text, AlertPhase& into) {
  const auto found = parse_alert_phase(text);
  if (found) into = *found;
  return found.has_value();
}
bool read_word(std::string_view text, Severity& into) {
  const auto found = parse_severity(text);
  if (found) into = *found;
  return found.has_value();
}
bool read_word(std::string_view text, IncidentState& into) {
  const auto found = parse_incident_state(text);
  if (found) into = *found;
  return found.has_value();
}
bool read_word(std::string_view text, PageState& into) {
  const auto found = parse_page_state(text);
  if (found) into = *found;
  return found.has_value();
}
bool read_word(std::string_view text, TimelineKind& into) {
  const auto found = parse_timeline_kind(text);
  if (found) into = *found;
  return found.has_value();
}
bool read_word(std::string_view text, EntryState& into) {
  const auto found = parse_entry_state(text);
  if (found) into = *found;
  return found.has_value();
}

// One pair of functions for each shape of value; declared first because shapes nest.

template <class T>
requires std::is_enum_v<T>
void put(value& into, const T& from);
template <std::integral T>
void put(value& into, const T& from);
void put(value& into, const std::string& from);
void put(value& into, const Duration& from);
void put(value& into, const SteadyTime& from);
void put(value& into, const WallTime& from);
template <class Tag, class T>
void put(value& into, const Strong<Tag, T>& from);
template <class T>
void put(value& into, const std::optional<T>& from);
template <class T>
void put(value& into, const std::vector<T>& from);
template <Listed T>
void put(value& into, const T& from);
void put(value& into, const Summary& from);
void put(value& into, const Effect& from);

template <class T>
requires std::is_enum_v<T>
bool get(const value& from, T& into, Fault& fault);
template <std::integral T>
bool get(const value& from, T& into, Fault& fault);
bool get(const value& from, std::string& into, Fault& fault);
bool get(const value& from, Duration& into, Fault& fault);
bool get(const value& from, SteadyTime& into, Fault& fault);
bool get(const value& from, WallTime& into, Fault& fault);
template <class Tag, class T>
bool get(const value& from, Strong<Tag, T>& into, Fault& fault);
template <class T>
bool get(const value& from, std::optional<T>& into, Fault& fault);
template <class T>
bool get(const value& from, std::vector<T>& into, Fault& fault);
template <Listed T>
bool get(const value& from, T& into, Fault& fault);
bool get(const value& from, Summary& into, Fault& fault);
bool get(const value& from, Effect& into, Fault& fault);

template <class T>
requires std::is_enum_v<T>
void put(value& into, const T& from) {
  const auto word = to_string(from);
  into.emplace_string().assign(word.data(), word.size());
}
template <class T>
requires std::is_enum_v<T>
bool get(const value& from, T& into, Fault& fault) {
  const auto* text = from.if_string();
  if (!text) return fault.at("is not a word");
  if (!read_word({text->data(), text->size()}, into)) return fault.at("is not a known word");
  return true;
}

template <std::integral T>
void put(value& into, const T& from) {
  if constexpr (std::same_as<T, bool>) {
    into = from;
  } else if constexpr (std::unsigned_integral<T>) {
    into = static_cast<std::uint64_t>(from);
  } else {
    into = static_cast<std::int64_t>(from);
  }
}
template <std::integral T>
bool get(const value& from, T& into, Fault& fault) {
  if constexpr (std::same_as<T, bool>) {
    if (!from.is_bool()) return fault.at("is not true or false");
    into = from.get_bool();
    return true;
  } else {
    boost::system::error_code problem;
    const T number = from.to_number<T>(problem);
    if (problem) return fault.at("is not a whole number that fits");
    into = number;
    return true;
  }
}

void put(value& into, const std::string& from) {
  into.emplace_string().assign(from.data(), from.size());
}
bool get(const value& from, std::string& into, Fault& fault) {
  const auto* text = from.if_string();
  if (!text) return fault.at("is not text");
  into.assign(text->data(), text->size());
  return true;
}

void put(value& into, const Duration& from) { into = std::int64_t{from.count()}; }
bool get(const value& from, Duration& into, Fault& fault) {
  std::int64_t count = 0;
  if (!get(from, count, fault)) return false;
  into = Duration{count};
  return true;
}
void put(value& into, const SteadyTime& from) { put(into, from.time_since_epoch()); }
bool get(const value& from, SteadyTime& into, Fault& fault) {
  Duration since{};
  if (!get(from, since, fault)) return false;
  into = SteadyTime{since};
  return true;
}
void put(value& into, const WallTime& from) {
  into = std::int64_t{from.time_since_epoch().count()};
}
bool get(const value& from, WallTime& into, Fault& fault) {
  std::int64_t count = 0;
  if (!get(from, count, fault)) return false;
  into = WallTime{std::chrono::microseconds{count}};
  return true;
}

template <class Tag, class T>
void put(value& into, const Strong<Tag, T>& from) {
  put(into, from.value);
}
template <class Tag, class T>
bool get(const value& from, Strong<Tag, T>& into, Fault& fault) {
  return get(from, into.value, fault);
}

template <class T>
void put(value& into, const std::optional<T>& from) {
  if (from) {
    put(into, *from);
  } else {
    into = nullptr;
  }
}
template <class T>
bool get(const value& from, std::optional<T>& into, Fault& fault) {
  if (from.is_null()) {
    into.reset();
    return true;
  }
  T held{};
  if (!get(from, held, fault)) return false;
  into = std::move(held);
  return true;
}

template <class T>
void put(value& into, const std::vector<T>& from) {
  auto& list = into.emplace_array();
  list.reserve(from.size());
  for (const auto& one : from) put(list.emplace_back(nullptr), one);
}
template <class T>
bool get(const value& from, std::vector<T>& into, Fault& fault) {
  const auto* list = from.if_array();
  if (!list) return fault.at("is not a list");
  into.clear();
  into.reserve(list->size());
  for (const auto& one : *list) {
    if (!get(one, into.emplace_back(), fault)) {
      return fault.within("[" + std::to_string(into.size() - 1) + "]");
    }
  }
  return true;
}

/// What may be left out: only what is empty by its nature, so that a default which changes one day
/// does not change what was stored before.
template <class T>
bool is_blank(const T& from) {
  if constexpr (requires { from.has_value(); }) {
    return !from.has_value();
  } else if constexpr (requires { from.empty(); }) {
    return from.empty();
  } else {
    return false;
  }
}

template <Listed T>
void put_members([[maybe_unused]] object& map, [[maybe_unused]] const T& from) {
  const auto one = [&](const auto& member) {
    if (!is_blank(from.*member.member)) put(map[member.key], from.*member.member);
  };
  std::apply([&](const auto&... member) { (one(member), ...); }, Members<T>::list());
}
template <Listed T>
bool get_members([[maybe_unused]] const object& map, [[maybe_unused]] T& into,
                 [[maybe_unused]] Fault& fault) {
  const auto one = [&](const auto& member) {
    const auto* found = map.if_contains(member.key);
    if (!found || get(*found, into.*member.member, fault)) return true;
    return fault.within(member.key);
  };
  return std::apply([&](const auto&... member) { return (one(member) && ...); },
                    Members<T>::list());
}
template <Listed T>
void put(value& into, const T& from) {
  put_members(into.emplace_object(), from);
}
template <Listed T>
bool get(const value& from, T& into, Fault& fault) {
  const auto* map = from.if_object();
  if (!map) return fault.at("is not an object");
  return get_members(*map, into, fault);
}

void put(value& into, const Summary& from) {
  auto& map = into.emplace_object();
  for (const auto& name : summary_field_names()) {
    if (from[name.field] == SummaryValue{}) continue;
    put(map[name.key], from[name.field]);
  }
}
bool get(const value& from, Summary& into, Fault& fault) {
  const auto* map = from.if_object();
  if (!map) return fault.at("is not an object");
  for (const auto& name : summary_field_names()) {
    const auto* found = map->if_contains(name.key);
    if (found && !get(*found, into[name.field], fault)) return fault.within(std::string{name.key});
  }
  return true;
}

void put(value& into, const Effect& from) {
  auto& map = into.emplace_object();
  const auto name = effect_name(from);
  map["name"].emplace_string().assign(name.data(), name.size());
  std::visit([&](const auto& effect) { put_members(map, effect); }, from);
}
template <std::size_t... I>
bool get_effect(const object& map, std::string_view name, Effect& into, Fault& fault,
                std::index_sequence<I...>) {
  bool known = false;
  bool good = false;
  const auto attempt = [&](auto effect) {
    if (known || effect_name(Effect{effect}) != name) return;
    known = true;
    good = get_members(map, effect, fault);
    if (good) into = std::move(effect);
  };
  (attempt(std::variant_alternative_t<I, Effect>{}), ...);
  return known ? good : fault.at("names no known effect");
}
bool get(const value& from, Effect& into, Fault& fault) {
  const auto* map = from.if_object();
  if (!map) return fault.at("is not an object");
  const auto* name = map->if_contains("name");
  const auto* word = name ? name->if_string() : nullptr;
  if (!word) return fault.at("has no name");
  return get_effect(*map, {word->data(), word->size()}, into, fault,
                    std::make_index_sequence<std::variant_size_v<Effect>>{});
}

/// Most objects fit here, so that writing one costs a single allocation: the text.
constexpr std::size_t scratch_bytes = 8u << 10;

template <class T>
std::string encode_any(const T& from) {
  unsigned char scratch[scratch_bytes];
  boost::json::monotonic_resource memory{scratch, sizeof scratch};
  value root(nullptr, boost::json::storage_ptr{&memory});
  put(root, from);
  return boost::json::serialize(root);
}

template <class T>
Result<T> decode_any(std::string_view text, const char* what) {
  constexpr std::size_t depth_most = 32;
  unsigned char scratch[scratch_bytes];
  boost::json::monotonic_resource memory{scratch, sizeof scratch};
  boost::json::parse_options options;
  options.max_depth = depth_most;
  boost::system::error_code problem;
  const auto root = boost::json::parse({text.data(), text.size()}, problem, &memory, options);
  if (problem)
    return Error{Errc::malformed, std::string{what} + ": not JSON: " + problem.message()};
  T into{};
  Fault fault;
  if (get(root, into, fault)) return into;
  return Error{Errc::malformed, std::string{what} + ": " +
                                    (fault.path.empty() ? "" : fault.path + " ") + fault.what};
}

}  // namespace

std::string encode(const Alert& alert) { return encode_any(alert); }
std::string encode(const Incident& incident) { return encode_any(incident); }
std::string encode(const TimelineLine& line) { return encode_any(line); }
std::string encode(const OutboxEntry& entry) { return encode_any(entry); }
std::string encode(const CheckMemory& memory) { return encode_any(memory); }
std::string encode(const Effect& effect) { return encode_any(effect); }
std::string encode(const Summary& summary) { return encode_any(summary); }

Result<Alert> decode_alert(std::string_view text) { return decode_any<Alert>(text, "alert"); }
Result<Incident> decode_incident(std::string_view text) {
  return decode_any<Incident>(text, "incident");
}
Result<TimelineLine> decode_timeline_line(std::string_view text) {
  return decode_any<TimelineLine>(text, "timeline line");
}
Result<OutboxEntry> decode_entry(std::string_view text) {
  return decode_any<OutboxEntry>(text, "outbox entry");
}
Result<CheckMemory> decode_memory(std::string_view text) {
  return decode_any<CheckMemory>(text, "check's memory");
}
Result<Effect> decode_effect(std::string_view text) { return decode_any<Effect>(text, "effect"); }
Result<Summary> decode_summary(std::string_view text) {
  return decode_any<Summary>(text, "summary");
}

}  // namespace tocsin::json
