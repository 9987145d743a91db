#include "tests/simulation/world.hpp"

#include <filesystem>

#include <stdlib.h>

#include "agent/config/settings.hpp"
#include "tocsin/base/overloaded.hpp"

namespace tocsin::simulation {

namespace {

using namespace std::chrono_literals;

constexpr auto configuration = R"(
environment: simulation
timezone: Europe/London
state_dir: /nowhere
slack:
  token: {env: SLACK}
  api_url: http://slack.test:80/api/
  invite: ["@sre", "jane@example.com"]
  fallback_channel: sre
pagerduty:
  events_url: http://pagerduty.test:80/v2/enqueue
  services:
    sre: {routing_key: {env: SRE}}
    managers: {routing_key: {env: MANAGERS}}
  page: sre
incidents:
  owners: {sre: "@sre", developer: "@platform"}
  escalation:
    - {after: 15m, page: managers}
checks:
  - {name: web, type: switch, every: 10s, critical: "up < 1 for 20s"}
  - {name: db, type: switch, every: 15s, critical: "up < 1 for 2 of 3"}
  - {name: queue, type: switch, every: 20s, critical: "up < 1", topic: db}
)";

/// Keys of the form PagerDuty's integrations have.
class SimulatedSecrets final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override {
    return Error{Errc::missing, "no files here"};
  }
  Result<Secret> from_env(const std::string& name) const override {
    if (name == "SLACK") return Secret{std::string{fakes::FakeSlack::bot_token}};
    return Secret{name == "SRE" ? std::string(32, 'a') : std::string(32, 'b')};
  }
  Result<Secret> from_credential(const std::string&) const override {
    return Error{Errc::missing, "no credentials here"};
  }
};

struct SwitchParams {
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const SwitchParams&, const SwitchParams&) = default;
};

/// A check whose answer the simulation sets.
class Switch final : public Check {
 public:
  Switch(std::string name, const std::map<std::string, bool>& breached)
      : name_{std::move(name)}, breached_{breached} {}
  std::span<const SampleSpec> specs() const override { return specs_; }
  Task<Samples> run(CheckContext&) override {
    const auto at = breached_.find(name_);
    Samples samples;
    put(samples, 0, at != breached_.end() && at->second ? 0.0 : 1.0);
    co_return samples;
  }

 private:
  std::string name_;
  const std::map<std::string, bool>& breached_;
  std::vector<SampleSpec> specs_{{.name = "up", .help = "1 while well."}};
};

/// The store, with a process that may die around any of its transactions.
class MortalLedger final : public store::Ledger {
 public:
  MortalLedger(std::unique_ptr<store::Ledger> real, Fate& fate, std::function<void()> die)
      : real_{std::move(real)}, fate_{fate}, die_{std::move(die)} {}

  Result<void> commit(const Commit& commit, Now now) override {
    if (fate_.dead) return Error{Errc::unreadable, "the process is dead"};
    const auto dies = ++fate_.commits == fate_.crash_at;
    if (dies && fate_.point == CrashPoint::before_commit) return death();
    auto outcome = real_->commit(commit, now);
    if (dies) return death();
    return outcome;
  }
  Result<std::vector<TimelineLine>> timeline(const IncidentId& id, std::size_t most) override {
    return real_->timeline(id, most);
  }
  Result<std::vector<Incident>> incidents(std::size_t most) override {
    return real_->incidents(most);
  }
  Result<std::vector<std::string>> channel_names() override { return real_->channel_names(); }
  Result<void> forget_closed_before(WallTime before) override {
    return real_->forget_closed_before(before);
  }

 private:
  Error death() {
    fate_.dead = true;
    die_();
    return {Errc::unreadable, "the process died here"};
  }
  std::unique_ptr<store::Ledger> real_;
  Fate& fate_;
  std::function<void()> die_;
};

/// The network of a process: once it is dead, nothing of it goes out any more.
class MortalNetwork final : public Network {
 public:
  MortalNetwork(fakes::FakeNetwork& real, Clock& clock, const Fate& fate)
      : real_{real}, clock_{clock}, fate_{fate} {}
  asio::awaitable<HttpOutcome> http(HttpRequest request) override {
    if (fate_.dead) co_await clock_.sleep_until(SteadyTime::max());
    co_return co_await real_.http(std::move(request));
  }
  asio::awaitable<ConnectOutcome> connect(ConnectRequest request) override {
    return real_.connect(std::move(request));
  }

 private:
  fakes::FakeNetwork& real_;
  Clock& clock_;
  const Fate& fate_;
};

std::string temporary_folder() {
  // Thousands of seeds commit hundreds of times each: memory stands for the disk where there is
  // some. A crash here is of the process, so what the kernel has been given survives on either.
  const std::filesystem::path memory{"/dev/shm"};
  const auto parent =
      std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  auto pattern = (parent / "tocsin-simulation-XXXXXX").string();
  check_that(mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  return pattern;
}

}  // namespace

/// One life of the process: all that is gone when it is killed.
struct SimulatedWorld::Life {
  Life(SimulatedWorld& world, std::uint64_t seed)
      : network{world.clock_},
        mortal{network, world.clock_, world.fate_},
        processes{world.clock_},
        files{world.folder_} {
    network.route("slack.test", 80, world.slack_);
    network.route("pagerduty.test", 80, world.pagerduty_);
    network.set_latency([this, draw = std::mt19937_64{seed}]() mutable -> Duration {
      return std::chrono::milliseconds{draw() % 300};
    });
  }

  asio::io_context loop{1};
  fakes::InlineBlocking blocking;
  fakes::FakeNetwork network;
  MortalNetwork mortal;
  fakes::FakeProcesses processes;
  fakes::FakeHelperProcess helper;
  fakes::FakePressureTriggers pressure;
  fakes::FakeKernelClock kernel_clock;
  fakes::FakeFiles files;
  std::unique_ptr<app::Core> core;
};

SimulatedWorld::SimulatedWorld(std::uint64_t seed)
    : random_{seed},
      folder_{temporary_folder()},
      slack_{[this] { return vendors_time(); }},
      pagerduty_{[this] { return vendors_time(); }} {
  slack_.faults().seed(seed);
  pagerduty_.faults().seed(seed + 1);
  boot();
}

SimulatedWorld::~SimulatedWorld() {
  if (life_) kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Now SimulatedWorld::vendors_time() const {
  // Their clocks are right, whatever happens to ours.
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady().time_since_epoch());
  return {clock_.steady(),
          WallTime{std::chrono::seconds{1'700'000'000}} + elapsed - std::chrono::hours{1000}};
}

app::Core& SimulatedWorld::core() { return *life_->core; }

std::uint64_t SimulatedWorld::draw(std::uint64_t below) { return random_() % below; }

void SimulatedWorld::expect(bool kept, std::string sentence) {
  if (!kept) broken_.insert(std::move(sentence));
}

void SimulatedWorld::boot() {
  fate_ = {};
  life_ = std::make_unique<Life>(*this, random_());
  auto& life = *life_;
  CheckRegistry registry;
  CheckType type{.name = "switch", .summary = "A check whose answer the simulation sets."};
  type.build = [this](const std::string& name, const Node&, Decoding&) {
    return std::make_unique<Switch>(name, breached_);
  };
  registry.add(std::move(type));
  auto loaded = config::load_text("simulation.yaml", configuration, registry, SimulatedSecrets{});
  check_that(loaded.settings.has_value(), loaded.report.c_str());
  auto settings = std::make_shared<const config::Settings>(std::move(*loaded.settings));

  auto opened = store::Ledger::open(folder_ + "/tocsin.db", "boot", clock_.now());
  check_that(static_cast<bool>(opened), "the store opens");
  auto names = opened->ledger->channel_names().value_or({});
  opened->ledger = std::make_unique<MortalLedger>(std::move(opened->ledger), fate_,
                                                  [this] { life_->loop.stop(); });
  life.core = std::make_unique<app::Core>(
      app::World{.executor = life.loop.get_executor(),
                 .clock = clock_,
                 .blocking = life.blocking,
                 .network = life.mortal,
                 .surroundings = {life.files, life.mortal, life.processes, life.helper,
                                  life.pressure, life.kernel_clock},
                 .host = "sim-1",
                 .seed = random_()},
      std::move(*opened), std::move(names), std::move(settings), app::EngineObserver{});
  life.core->start();
  step(Duration{0});
}

void SimulatedWorld::kill() {
  // From here on nothing reaches the disk or the network; the objects are merely cleared away.
  fate_.dead = true;
  ++crashes_;
  auto& life = *life_;
  life.loop.restart();
  asio::co_spawn(
      life.loop,
      [](app::Core& core) -> asio::awaitable<void> { co_await core.stop(5s); }(*life.core),
      [](std::exception_ptr) {});
  fakes::run_for(life.loop, clock_, 6s);
  life_.reset();
}

void SimulatedWorld::stop_cleanly() {
  auto& life = *life_;
  auto late = std::make_shared<std::vector<std::string>>();
  bool ended = false;
  asio::co_spawn(
      life.loop,
      [](app::Core& core, std::shared_ptr<std::vector<std::string>> names)
          -> asio::awaitable<void> { *names = co_await core.stop(5s); }(*life.core, late),
      [&ended](std::exception_ptr) { ended = true; });
  fakes::run_for(life.loop, clock_, 6s);
  if (!fate_.dead) {
    expect(ended, "promise 10: shutdown did not end within its grace");
    for (const auto& name : *late)
      expect(false, "promise 10: " + name + " did not end within the grace");
  }
  life_.reset();
}

void SimulatedWorld::step(Duration length) {
  auto& life = *life_;
  if (length == Duration{0})
    fakes::settle(life.loop);
  else
    fakes::run_for(life.loop, clock_, length);
  if (!fate_.dead) return;
  kill();
  boot();
}

void SimulatedWorld::disturb_receiver() {
  using Kind = fakes::Fault::Kind;
  static constexpr Kind kinds[] = {Kind::status,    Kind::hang,       Kind::cut_before,
                                   Kind::cut_after, Kind::late_error, Kind::slow_body,
                                   Kind::huge_body, Kind::not_json};
  auto& faults = draw(2) == 0 ? slack_.faults() : pagerduty_.faults();
  switch (draw(4)) {
    case 0:
      faults.set_down(true);
      break;
    case 1:
      faults.set_down(false);
      break;
    case 2:
      faults.clear();
      break;
    default: {
      const auto kind = kinds[draw(std::size(kinds))];
      // A 429 says that nothing was done: only a fault of theirs comes after the deed.
      const auto refused = kind != Kind::late_error && draw(2) == 0;
      faults.add({.kind = kind,
                  .status = refused ? 429 : 503,
                  .retry_after = draw(2) == 0
                                     ? std::optional<Duration>{std::chrono::seconds{draw(60)}}
                                     : std::nullopt,
                  .times = 1 + draw(4)});
    }
  }
}

void SimulatedWorld::person_acts() {
  auto& engine = life_->core->engine();
  if (engine.incidents().empty()) return;
  auto at = engine.incidents().begin();
  std::advance(at, static_cast<std::ptrdiff_t>(draw(engine.incidents().size())));
  const auto id = at->first;
  policy::Input input = policy::Acknowledge{"jane", "cli"};
  switch (draw(6)) {
    case 0:
      break;
    case 1:
      input = policy::Say{"looking", "jane"};
      break;
    case 2:
      input = policy::SetField{SummaryField::current_step, "restarting", "jane"};
      break;
    case 3:
      input = policy::ResolveByHand{"jane", draw(2) == 0 ? "" : "it is fine"};
      break;
    case 4:
      input = policy::Close{.by = "jane", .root_cause = "cause", .fix = "fix"};
      break;
    default:
      input = policy::Close{.by = "jane"};
      break;  // Refused: no root cause.
  }
  [[maybe_unused]] const auto outcome = engine.command(id, input);
}

void SimulatedWorld::jump_clock() {
  const auto incidents_before = life_->core->engine().incidents().size();
  const auto jump = std::chrono::seconds{static_cast<std::int64_t>(draw(7200)) - 3600};
  clock_.jump_wall(jump);
  step(Duration{0});
  expect(life_->core->engine().incidents().size() == incidents_before,
         "promise 9: a clock jump raised an incident");
}

void SimulatedWorld::arm_crash() {
  fate_.crash_at = fate_.commits + 1 + draw(12);
  fate_.point = draw(2) == 0 ? CrashPoint::before_commit : CrashPoint::after_commit;
}

void SimulatedWorld::disturb() {
  static constexpr const char* names[] = {"web", "db", "queue"};
  switch (draw(10)) {
    case 0:
    case 1:
    case 2:
      breached_[names[draw(3)]] = true;
      break;
    case 3:
    case 4:
      breached_[names[draw(3)]] = false;
      break;
    case 5:
      disturb_receiver();
      break;
    case 6:
      person_acts();
      break;
    case 7:
      arm_crash();
      break;
    case 8:
      jump_clock();
      break;
    default:
      if (draw(2) == 0)
        kill();
      else
        stop_cleanly();
      boot();
  }
}

void SimulatedWorld::turmoil(Duration length) {
  const auto until = clock_.steady() + length;
  while (clock_.steady() < until) {
    disturb();
    step(std::chrono::milliseconds{draw(60'000)});
    watch_timelines();
  }
}

void SimulatedWorld::calm() {
  slack_.faults().clear();
  slack_.faults().set_down(false);
  pagerduty_.faults().clear();
  pagerduty_.faults().set_down(false);
  fate_.crash_at = 0;
  // First a breach that is held: it must be paged now that the network allows.
  for (auto& [name, breached] : breached_) breached = false;
  step(10min);
  breached_["web"] = true;
  step(30min);
  watch_timelines();
  judge_pages();
  breached_["web"] = false;
  step(2h);
  watch_timelines();
}

void SimulatedWorld::watch_timelines() {
  auto& life = *life_;
  for (const auto& [id, incident] : life.core->engine().incidents()) {
    auto lines = fakes::run_to_end(life.loop, life.core->journal().timeline(id, 100'000));
    life.loop.restart();
    if (!lines) continue;
    auto& before = timelines_[id.value];
    const auto kept =
        before.size() <= lines->size() && std::equal(before.begin(), before.end(), lines->begin());
    expect(kept, "promise 9: the timeline of " + id.value + " lost or reordered a line");
    before = std::move(*lines);
  }
}

}  // namespace tocsin::simulation
