#include "checks/unit_look.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "checks/unit_name.hpp"

namespace tocsin::checks {
namespace {

// What more is found out of units that are down: more of them than evidence has room for.
constexpr std::size_t units_examined_max = 5;
constexpr std::size_t needs_examined_max = 32;

/// A number; systemd says the largest there is of what it does not know or limit.
std::optional<std::uint64_t> number(const UnitValue& value) {
  const auto* const found = std::get_if<std::uint64_t>(&value);
  if (found == nullptr || *found == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return *found;
}
std::int64_t whole(const UnitValue& value) {
  const auto* const found = std::get_if<std::int64_t>(&value);
  return found == nullptr ? 0 : *found;
}
std::string text(const UnitValue& value) {
  const auto* const found = std::get_if<std::string>(&value);
  return found == nullptr ? std::string{} : *found;
}
std::vector<std::string> words(const UnitValue& value) {
  const auto* const found = std::get_if<std::vector<std::string>>(&value);
  return found == nullptr ? std::vector<std::string>{} : *found;
}
std::optional<Duration> duration(const UnitValue& value) {
  const auto found = number(value);
  constexpr auto most = std::chrono::microseconds::max().count() / 1000;
  if (!found || *found == 0 || *found > static_cast<std::uint64_t>(most)) return std::nullopt;
  return std::chrono::microseconds{*found};
}
/// A moment of CLOCK_MONOTONIC; 0 says never.
std::optional<SteadyTime> moment(const UnitValue& value) {
  const auto found = duration(value);
  if (!found) return std::nullopt;
  return SteadyTime{*found};
}

/// Something to ask of a unit, and where the answer belongs.
struct Wish {
  const char* property;
  void (*take)(UnitStatus& unit, const UnitValue& value);
};
using Wishes = std::span<const Wish>;

/// Of the interface that all units have.
constexpr Wish of_all[] = {
    {"ActiveEnterTimestampMonotonic",
     [](UnitStatus& unit, const UnitValue& value) { unit.active_since = moment(value); }},
};
/// Of the kinds of units that have a control group.
constexpr Wish of_groups[] = {
    {"MemoryCurrent",
     [](UnitStatus& unit, const UnitValue& value) { unit.memory_bytes = number(value); }},
    {"TasksCurrent", [](UnitStatus& unit, const UnitValue& value) { unit.tasks = number(value); }},
};
constexpr Wish of_services[] = {
    {"Type", [](UnitStatus& unit, const UnitValue& value) { unit.type = text(value); }},
    {"RemainAfterExit",
     [](UnitStatus& unit, const UnitValue& value) { unit.remains = value == UnitValue{true}; }},
    {"Result", [](UnitStatus& unit, const UnitValue& value) { unit.result = text(value); }},
    {"NRestarts", [](UnitStatus& unit, const UnitValue& value) { unit.restarts = number(value); }},
};

constexpr Wish of_all_down[] = {
    {"StateChangeTimestampMonotonic",
     [](UnitStatus& unit, const UnitValue& value) { unit.changed_at = moment(value); }},
    {"ConditionResult",
     [](UnitStatus& unit, const UnitValue& value) {
       // False as well while it was never to be started; that has another sign.
       unit.condition_met = value != UnitValue{false};
     }},
    {"ConditionTimestampMonotonic",
     [](UnitStatus& unit, const UnitValue& value) {
       if (!moment(value)) unit.condition_met = true;
     }},
    {"LoadError",
     [](UnitStatus& unit, const UnitValue& value) {
       const auto parts = words(value);
       if (parts.size() > 1) unit.load_error = parts[1];
     }},
    {"StartLimitBurst",
     [](UnitStatus& unit, const UnitValue& value) {
       unit.start_limit_burst = number(value).value_or(0);
     }},
    {"StartLimitIntervalUSec",
     [](UnitStatus& unit, const UnitValue& value) { unit.start_limit_interval = duration(value); }},
    {"Requires", [](UnitStatus& unit, const UnitValue& value) { unit.needs = words(value); }},
    {"BindsTo",
     [](UnitStatus& unit, const UnitValue& value) {
       for (auto& word : words(value)) unit.needs.push_back(std::move(word));
     }},
};
constexpr Wish of_services_down[] = {
    {"ExecMainPID",
     [](UnitStatus& unit, const UnitValue& value) { unit.main_pid = number(value).value_or(0); }},
    {"ExecMainCode",
     [](UnitStatus& unit, const UnitValue& value) { unit.exit_code = whole(value); }},
    {"ExecMainStatus",
     [](UnitStatus& unit, const UnitValue& value) { unit.exit_status = whole(value); }},
    {"StatusText",
     [](UnitStatus& unit, const UnitValue& value) { unit.status_text = text(value); }},
    {"Restart", [](UnitStatus& unit, const UnitValue& value) { unit.restart = text(value); }},
};
/// Sockets, mounts and the like have a result, too.
constexpr Wish of_others_down[] = {
    {"Result", [](UnitStatus& unit, const UnitValue& value) { unit.result = text(value); }},
};

constexpr std::string_view interface_stem = "org.freedesktop.systemd1.";

/// "org.freedesktop.systemd1.Service"
std::string interface_of(std::string_view kind) {
  std::string name{interface_stem};
  name += kind;
  auto& first = name[interface_stem.size()];
  first = static_cast<char>(std::toupper(static_cast<unsigned char>(first)));
  return name;
}

/// Questions of several units, asked together.
class Round {
 public:
  void add(UnitStatus& unit, const std::string& interface, Wishes wishes) {
    for (const auto& wish : wishes) {
      questions_.push_back({unit.path, interface, wish.property});
      destinations_.push_back({&unit, wish.take});
    }
  }
  Task<void> ask(SystemdBus& bus) {
    auto asking = bus.values(std::move(questions_));
    const auto answers = co_await std::move(asking);
    if (!answers) co_return answers.error();
    for (std::size_t i = 0; i < destinations_.size(); ++i)
      destinations_[i].take(*destinations_[i].unit, (*answers)[i]);
    co_return Result<void>{};
  }

 private:
  struct Destination {
    UnitStatus* unit;
    void (*take)(UnitStatus& unit, const UnitValue& value);
  };
  std::vector<UnitQuestion> questions_{};
  std::vector<Destination> destinations_{};
};

bool has_group(std::string_view kind) {
  return kind == "service" || kind == "socket" || kind == "mount" || kind == "swap" ||
         kind == "slice" || kind == "scope";
}
bool has_result(std::string_view kind) {
  return kind != "service" && kind != "target" && kind != "device" && kind != "slice";
}

UnitStatus status_of(ListedUnit&& listed, std::string name) {
  UnitStatus unit;
  unit.name = std::move(name);
  unit.load = std::move(listed.load);
  unit.active = std::move(listed.active);
  unit.sub = std::move(listed.sub);
  unit.path = std::move(listed.path);
  return unit;
}

bool fits_any(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const auto& glob) { return fits_unit_glob(glob, name); });
}

/// Adds the units that the globs mean and that are not there already.
void add_fitting(UnitLook& look, const UnitChoice& choice, std::vector<ListedUnit> listed) {
  // What others only mention is listed, too.
  std::erase_if(listed, [](const auto& unit) {
    return unit.load == "not-found" && unit.active == "inactive";
  });
  std::sort(listed.begin(), listed.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& glob : choice.globs)
    if (std::none_of(listed.begin(), listed.end(),
                     [&](const auto& unit) { return fits_unit_glob(glob, unit.name); }))
      look.unmatched.push_back(glob);
  std::set<std::string> known;
  for (const auto& unit : look.units) known.insert(unit.path);
  for (auto& unit : listed) {
    if (fits_any(choice.except, unit.name) || !known.insert(unit.path).second) continue;
    if (look.units.size() == units_watched_max) {
      ++look.unwatched;
      continue;
    }
    auto name = unit.name;
    look.units.push_back(status_of(std::move(unit), std::move(name)));
  }
}

Task<void> find_units(SystemdBus& bus, const UnitChoice& choice, UnitLook& look) {
  if (!choice.names.empty()) {
    auto listing = bus.units_named(choice.names);
    auto listed = co_await std::move(listing);
    if (!listed) co_return listed.error();
    if (listed->size() != choice.names.size())
      co_return Error{Errc::protocol, "systemd was asked for " +
                                          std::to_string(choice.names.size()) +
                                          " units and told of " + std::to_string(listed->size())};
    for (std::size_t i = 0; i < choice.names.size(); ++i)
      look.units.push_back(status_of(std::move((*listed)[i]), choice.names[i]));
  }
  if (!choice.globs.empty()) {
    auto listing = bus.units_like(choice.globs);
    auto listed = co_await std::move(listing);
    if (!listed) co_return listed.error();
    add_fitting(look, choice, *std::move(listed));
  }
  co_return Result<void>{};
}

std::string how_it_lacks(const ListedUnit& need) {
  if (need.load == "not-found") return need.name + ", which is not there";
  if (need.load == "masked") return need.name + ", which is masked";
  return need.name + ", which failed";
}

/// Which of the units that they need are not to be had. What cannot be learnt is left out.
asio::awaitable<void> examine_needs(SystemdBus& bus, std::vector<UnitStatus*> down) {
  std::set<std::string> all;
  for (const auto* unit : down)
    for (const auto& need : unit->needs)
      if (all.size() < needs_examined_max) all.insert(need);
  if (all.empty()) co_return;
  const std::vector<std::string> names{all.begin(), all.end()};
  auto listing = bus.units_named(names);
  const auto listed = co_await std::move(listing);
  if (!listed || listed->size() != names.size()) co_return;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& need = (*listed)[i];
    const bool is_lacking =
        need.active == "failed" || (need.active == "inactive" && need.load != "loaded");
    if (!is_lacking) continue;
    for (auto* unit : down)
      if (std::find(unit->needs.begin(), unit->needs.end(), names[i]) != unit->needs.end())
        unit->failed_needs.push_back(how_it_lacks(need));
  }
}

}  // namespace

Task<UnitLook> look_at_units(SystemdBus& bus, const UnitChoice& choice) {
  UnitLook look;
  auto finding = find_units(bus, choice, look);
  const auto found = co_await std::move(finding);
  if (!found) co_return found.error();
  const auto of_unit = interface_of("unit");
  Round usual;
  for (auto& unit : look.units) {
    const auto kind = kind_of_unit(unit.name);
    if (unit.load == "not-found" && unit.active == "inactive") continue;
    usual.add(unit, of_unit, of_all);
    if (has_group(kind)) usual.add(unit, interface_of(kind), of_groups);
    if (kind == "service") usual.add(unit, interface_of(kind), of_services);
  }
  auto asking = usual.ask(bus);
  const auto asked = co_await std::move(asking);
  if (!asked) co_return asked.error();

  std::vector<UnitStatus*> down;
  Round more;
  for (auto& unit : look.units) {
    if (is_up(unit) || down.size() == units_examined_max) continue;
    const auto kind = kind_of_unit(unit.name);
    down.push_back(&unit);
    more.add(unit, of_unit, of_all_down);
    if (kind == "service") more.add(unit, interface_of(kind), of_services_down);
    if (has_result(kind)) more.add(unit, interface_of(kind), of_others_down);
  }
  auto asking_more = more.ask(bus);
  const auto asked_more = co_await std::move(asking_more);
  if (!asked_more) co_return asked_more.error();
  auto examining = examine_needs(bus, down);
  co_await std::move(examining);
  co_return look;
}

}  // namespace tocsin::checks
