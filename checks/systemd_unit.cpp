#include "checks/systemd_unit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "checks/one_or_more.hpp"
#include "checks/reply_by.hpp"
#include "checks/systemd_bus.hpp"
#include "checks/systemd_evidence.hpp"
#include "checks/top_processes.hpp"
#include "checks/unit_look.hpp"
#include "checks/unit_name.hpp"

namespace tocsin {
namespace {

using namespace checks;

constexpr const char* system_bus = "/run/dbus/system_bus_socket";
/// Where systemd itself listens, to root alone.
constexpr const char* own_socket = "/run/systemd/private";
constexpr std::size_t journal_bytes_max = 16u << 10;

struct SystemdUnitParams {
  OneOrMore unit{};
  OneOrMore except{};
  std::string bus{};
  static constexpr auto fields() {
    using Self = SystemdUnitParams;
    return std::tuple{
        required_field("unit", &Self::unit,
                       "Which units to watch: names, or globs such as app-*.service; without a "
                       "suffix, a service. A glob sees the units that systemd has loaded, so name "
                       "those that must be there."),
        field("except", &Self::except, "Names and globs of what the globs do not mean."),
        field("bus", &Self::bus,
              "The socket to ask over, such as /run/user/1000/systemd/private for a user's "
              "systemd; default: the system bus, or systemd's own socket on a host without one.")};
  }
};

enum : std::uint16_t {
  up,
  state,
  restarts,
  active_seconds,
  memory_bytes,
  tasks,
  units,
  unwatched,
  failed,
  total_seconds
};

const std::vector<SampleSpec>& systemd_unit_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none,
       "1 when the unit is active, and for a oneshot service unless it failed; 0 when it is "
       "starting, stopping, stopped, failed, masked or not there. Let a rule hold for longer than "
       "it takes to start.",
       "unit"},
      {"state", Unit::none,
       "0 inactive, 1 active, 2 reloading, 3 activating, 4 deactivating, 5 failed, 6 maintenance, "
       "7 "
       "another; none for a unit that is not there.",
       "unit"},
      {"restarts", Unit::none,
       "How often systemd started the service again by itself (Restart=) in the last ten minutes.",
       "unit"},
      {"active_seconds", Unit::seconds, "How long the unit has been active.", "unit"},
      {"memory_bytes", Unit::bytes, "Memory of the unit's control group, where systemd knows.",
       "unit"},
      {"tasks", Unit::none, "Processes and threads of the unit, where systemd knows.", "unit"},
      {"units", Unit::none, "Units that are watched and exist."},
      {"unwatched", Unit::none,
       "Units that the globs mean beyond the " + std::to_string(units_watched_max) +
           " that are watched."},
      {"failed", Unit::none, "Watched units in the state failed."},
      {"total_seconds", Unit::seconds, "Time until systemd had answered."},
  };
  return specs;
}

UnitChoice choice_of(const SystemdUnitParams& params) {
  UnitChoice choice;
  for (const auto& text : params.unit.values) {
    auto name = whole_unit_name(text);
    auto& list = is_unit_glob(name) ? choice.globs : choice.names;
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(std::move(name));
  }
  for (const auto& text : params.except.values) choice.except.push_back(whole_unit_name(text));
  return choice;
}

bool is_there(const UnitStatus& unit) {
  return unit.load != "not-found" || unit.state() != ActiveState::inactive;
}

class SystemdUnitCheck final : public Check {
 public:
  SystemdUnitCheck(std::string /*name*/, SystemdUnitParams params)
      : choice_{choice_of(params)}, bus_{std::move(params.bus)} {}

  std::span<const SampleSpec> specs() const override { return systemd_unit_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto began = context.clock.steady();
    auto asking = ask(context.network, reply_by(context));
    auto asked = co_await std::move(asking);
    const auto now = context.clock.steady();
    if (!asked) {
      failure_ = asked.error().detail;
      co_return Error{asked.error().code, "the units' states are not known: " + failure_};
    }
    failure_.clear();
    look_ = *std::move(asked);
    restarts_.look(look_.units, now);
    answered_at_ = now;
    co_return samples(now, now - began);
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    const auto now = context.clock.steady();
    if (!failure_.empty()) {
      tell_of_failure(evidence, now);
      co_return evidence;
    }
    const auto* const notable = tell_of_units(evidence, look_, restarts_, now);
    if (notable == nullptr) co_return evidence;
    // A copy: what is watched may be another list by the time the journal is here.
    const auto unit = *notable;
    auto reading = read_journal(context, unit.name);
    const auto lines = co_await std::move(reading);
    tell_of_journal(evidence, unit, lines);
    co_return evidence;
  }

 private:
  Task<UnitLook> ask(Network& network, SteadyTime deadline) {
    auto asking = ask_over(network, bus_.empty() ? system_bus : bus_, deadline);
    auto asked = co_await std::move(asking);
    if (asked || !bus_.empty() || asked.error().code != Errc::unreachable) co_return asked;
    auto again = ask_over(network, own_socket, deadline);
    auto answered = co_await std::move(again);
    // Where there is neither, the bus is what was meant.
    if (!answered && answered.error().code == Errc::unreachable) co_return asked;
    co_return answered;
  }

  Task<UnitLook> ask_over(Network& network, std::string unix_socket, SteadyTime deadline) {
    SystemdBus bus{network, deadline};
    auto opening = bus.open(std::move(unix_socket));
    const auto opened = co_await std::move(opening);
    if (!opened) co_return opened.error();
    auto looking = look_at_units(bus, choice_);
    co_return co_await std::move(looking);
  }

  Samples samples(SteadyTime now, Duration took) const {
    Samples samples;
    put(samples, total_seconds, std::chrono::duration<double>(took).count());
    const auto count = [&](auto holds) {
      return static_cast<double>(std::count_if(look_.units.begin(), look_.units.end(), holds));
    };
    put(samples, units, count(is_there));
    put(samples, unwatched, static_cast<double>(look_.unwatched));
    put(samples, failed,
        count([](const auto& unit) { return unit.state() == ActiveState::failed; }));
    for (const auto& glob : look_.unmatched) put(samples, up, 0, glob);
    for (const auto& unit : look_.units) put_unit(samples, unit, now);
    return samples;
  }

  void put_unit(Samples& samples, const UnitStatus& unit, SteadyTime now) const {
    put(samples, up, is_up(unit) ? 1 : 0, unit.name);
    if (!is_there(unit)) return;
    put(samples, state, static_cast<double>(unit.state()), unit.name);
    if (unit.restarts)
      put(samples, restarts, static_cast<double>(restarts_.of(unit.name)), unit.name);
    const bool is_active =
        unit.state() == ActiveState::active || unit.state() == ActiveState::reloading;
    if (is_active && unit.active_since && *unit.active_since <= now)
      put(samples, active_seconds, std::chrono::duration<double>(now - *unit.active_since).count(),
          unit.name);
    if (unit.memory_bytes)
      put(samples, memory_bytes, static_cast<double>(*unit.memory_bytes), unit.name);
    if (unit.tasks) put(samples, tasks, static_cast<double>(*unit.tasks), unit.name);
  }

  void tell_of_failure(Evidence& evidence, SteadyTime now) const {
    add_line(evidence, failure_);
    evidence.probable_cause = failure_;
    if (!answered_at_) {
      add_line(evidence, "systemd has not answered since tocsin began to watch it");
      return;
    }
    add_line(evidence,
             "last heard of " + describe(now - *answered_at_) + " ago with " +
                 std::to_string(std::count_if(look_.units.begin(), look_.units.end(), is_up)) +
                 " of " + std::to_string(look_.units.size()) +
                 " watched units up; whether they still are is not known");
  }

  /// The end of what the journal has of a unit; empty when it cannot be had.
  asio::awaitable<std::string> read_journal(CheckContext& context, std::string unit) const {
    const bool is_users = bus_.starts_with("/run/user/");
    CommandRequest request;
    request.command = {"journalctl",
                       "--no-pager",
                       "--quiet",
                       "--output=short-iso",
                       "--lines=" + std::to_string(journal_lines_told),
                       (is_users ? "--user-unit=" : "--unit=") + std::move(unit)};
    request.output_bytes_max = journal_bytes_max;
    request.deadline = reply_by(context);
    auto running = context.processes.run(std::move(request));
    auto outcome = co_await std::move(running);
    if (!outcome || outcome->timed_out || outcome->signal != 0 || outcome->exit_code != 0)
      co_return std::string{};
    co_return std::move(outcome->output);
  }

  UnitChoice choice_;
  std::string bus_;
  UnitLook look_{};  ///< As of the last answer.
  UnitRestarts restarts_{};
  std::optional<SteadyTime> answered_at_{};
  std::string failure_{};  ///< Why the last run could not ask.
};

void judge_params(const SystemdUnitParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (params.unit.values.empty() || params.unit.values.size() > units_watched_max)
    complain("unit", "expected 1 to " + std::to_string(units_watched_max) + " names of units");
  for (const auto* const key : {"unit", "except"}) {
    const auto& texts = std::string_view{key} == "unit" ? params.unit : params.except;
    for (const auto& text : texts.values)
      if (auto fault = fault_of_unit_name(text)) complain(key, *std::move(fault));
  }
  if (!params.bus.empty() && params.bus.front() != '/')
    complain("bus", "expected a socket's absolute path, found '" + params.bus + "'");
}

}  // namespace

CheckType systemd_unit_check() {
  return check_type<SystemdUnitParams, SystemdUnitCheck>(
      {
          .name = "systemd_unit",
          .summary = "Whether units of systemd are up: services, timers, sockets, mounts; how they "
                     "ended and what the journal has on that.",
          .samples = systemd_unit_specs(),
          .default_critical = {"up < 1 for 10s"},
          .default_warning = {"restarts >= 5"},
          .example = "name: web\n"
                     "type: systemd_unit\n"
                     "unit: [nginx, php8.2-fpm, \"app-*.service\", backup.timer]\n"
                     "except: app-canary\n"
                     "critical: up < 1 for 10s\n"
                     "warning: restarts >= 3\n",
      },
      judge_params);
}

}  // namespace tocsin
