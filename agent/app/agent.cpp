#include "agent/app/agent.hpp"

#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>

#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>

#include "agent/app/address_book.hpp"
#include "agent/app/api.hpp"
#include "agent/app/beat_spool.hpp"
#include "agent/app/configuration.hpp"
#include "agent/app/drill.hpp"
#include "agent/app/log.hpp"
#include "agent/app/real_world.hpp"
#include "agent/app/self_watch.hpp"
#include "agent/app/service_manager.hpp"
#include "agent/app/telemetry.hpp"
#include "agent/app/version.hpp"
#include "agent/runtime/blocking_thread.hpp"
#include "agent/runtime/host_identity.hpp"
#include "agent/runtime/memory_map.hpp"
#include "agent/runtime/signals.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::app {

namespace {

namespace fs = std::filesystem;

/// Keeps a second agent away from the same state: an advisory lock that the kernel drops when we
/// die.
class StateLock {
 public:
  ~StateLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Result<void> take(const std::string& folder) {
    descriptor_ = ::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
      return {};  // Read-only: the store will say so, and the page must still go out.
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
    return Error{Errc::refused, "another agent is running on " + folder +
                                    "; stop it, or give this one its own state_dir"};
  }

 private:
  int descriptor_{-1};
};

}  // namespace

struct Agent::Impl {
  explicit Impl(std::string path) : config_path{std::move(path)}, log{make_log()} {}

  bool load();
  bool open_store();
  bool listen();
  void wire();
  void announce() const;
  Result<void> reload();
  EngineObserver observer();
  asio::awaitable<void> serve_signals();
  asio::awaitable<void> feed_watchdog(Duration period);
  asio::awaitable<void> stay_small();
  asio::awaitable<void> keep_addresses();
  void take_spooled_beats();
  asio::awaitable<void> forget_beats(std::vector<SpooledBeat> taken);
  asio::awaitable<void> shut_down();

  std::string config_path;
  std::shared_ptr<spdlog::logger> log;
  ServiceManager service_manager;
  std::string host;
  StateLock lock;
  std::unique_ptr<AddressBook> addresses;
  std::unique_ptr<RealWorld> world;
  /// Holds the checks, and they hold descriptors of the world's loop: goes away before it.
  std::shared_ptr<const config::Settings> settings;
  std::unique_ptr<runtime::RealBlockingThread> blocking;
  std::optional<store::Ledger::Opened> store;
  std::unique_ptr<Telemetry> telemetry;
  std::unique_ptr<Core> core;
  std::unique_ptr<SelfWatch> self_watch;
  ApiContext::ReloadState last_reload;
  std::unique_ptr<ApiContext> api;
  http::Router router;
  std::unique_ptr<TaskGroup> connections;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<runtime::Signals> signals;
  std::string address;
};

Agent::Agent(std::string config_path) : impl_{std::make_unique<Impl>(std::move(config_path))} {}
Agent::~Agent() = default;

bool Agent::Impl::load() {
  auto loaded = load_configuration(config_path);
  if (!loaded.settings) {
    std::cerr << loaded.report;
    return false;
  }
  settings = std::make_shared<const config::Settings>(std::move(*loaded.settings));
  for (const auto& warning : settings->warnings) log->warn("{}", warning);
  host = settings->host.empty() ? runtime::host_name() : settings->host;
  return true;
}

bool Agent::Impl::open_store() {
  std::error_code fault;
  fs::create_directories(settings->state_dir, fault);
  if (!fault)
    fs::permissions(settings->state_dir,
                    fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, fault);
  if (const auto alone = lock.take(settings->state_dir); !alone) {
    log->critical("{}", alone.error().detail);
    return false;
  }
  addresses = std::make_unique<AddressBook>(settings->state_dir + "/addresses");
  auto opened =
      store::Ledger::open(settings->state_dir + "/tocsin.db",
                          runtime::boot_id(world->files).value_or("unknown"), world->clock.now());
  // A disk that takes no writes is no reason to stay away: that is when people must be paged. A
  // store of a newer version, or one that another agent writes, is.
  if (!opened) {
    log->critical("{}", opened.error().detail);
    return false;
  }
  for (const auto& warning : opened->warnings) log->warn("{}", warning);
  store.emplace(std::move(*opened));
  return true;
}

EngineObserver Agent::Impl::observer() {
  auto out = telemetry->observer();
  out.complained = [this](std::string_view sentence) { log->error("{}", sentence); };
  out.opened = [this, counted = std::move(out.opened)](const Incident& incident) {
    log->warn("incident {} opened, #{}: {}", incident.id.value, incident.channel.name,
              incident.title);
    counted(incident);
  };
  return out;
}

void Agent::Impl::wire() {
  auto names = store->ledger->channel_names().value_or({});
  const auto warnings = store->warnings;
  // Where nothing can be written, "disk" says so, and says when it is over.
  const auto store_fault = store->writable && !warnings.empty() ? warnings.front() : std::string{};
  blocking = std::make_unique<runtime::RealBlockingThread>();
  telemetry = std::make_unique<Telemetry>(world->clock);
  core = std::make_unique<Core>(World{.executor = world->loop.get_executor(),
                                      .clock = world->clock,
                                      .blocking = *blocking,
                                      .network = world->network(),
                                      .surroundings = world->surroundings(),
                                      .host = host,
                                      .seed = std::random_device{}()},
                                std::move(*store), std::move(names), settings, observer());
  store.reset();
  telemetry->watch(*core);
  self_watch = std::make_unique<SelfWatch>(core->engine(), core->journal(), world->clock, host);
  api = std::make_unique<ApiContext>(ApiContext{.core = *core,
                                                .clock = world->clock,
                                                .started = world->clock.steady(),
                                                .config_path = config_path,
                                                .reload = [this] { return reload(); },
                                                .last_reload = last_reload});
  connections = std::make_unique<TaskGroup>(world->loop.get_executor());
  add_incident_api(router, *api);
  add_state_api(router, *api);
  add_beat_api(router, *api);
  add_plain_routes(router, *api);
  telemetry->add_route(router);
  core->start();
  resume_drills(*core, world->clock);
  take_spooled_beats();
  core->tasks().spawn("self watch", self_watch->run());
  core->tasks().spawn("addresses", keep_addresses());
  // What an earlier run complained of is over, unless it just happened again.
  self_watch->clear("config");
  if (store_fault.empty())
    self_watch->clear("store");
  else
    self_watch->raise("store", store_fault);
}

/// Before anybody can bring newer ones.
void Agent::Impl::take_spooled_beats() {
  const auto folder = beat_spool(settings->state_dir);
  make_beat_spool(folder);
  auto waiting = spooled_beats(folder);
  if (waiting.empty()) return;
  for (auto& each : waiting) {
    const auto now = world->clock.now();
    each.beat.at.wall = std::min(each.beat.at.wall, now.wall);
    each.beat.at.steady = now.steady - (now.wall - each.beat.at.wall);
    const auto taken = core->beat(each.check, each.beat);
    if (!taken) log->warn("a beat from while the agent was down: {}", taken.error().detail);
  }
  log->info("{} beats came while the agent was down", waiting.size());
  core->tasks().spawn("spooled beats", forget_beats(std::move(waiting)));
}

/// Once they are kept elsewhere.
asio::awaitable<void> Agent::Impl::forget_beats(std::vector<SpooledBeat> taken) {
  auto flushing = core->journal().flush();
  co_await std::move(flushing);
  for (const auto& each : taken) ::unlink(each.file.c_str());
}

bool Agent::Impl::listen() {
  std::optional<http::WebConfig> web;
  if (!settings->http.web_config.empty()) {
    auto loaded = http::load_web_config(settings->http.web_config);
    if (!loaded) {
      log->critical("{}", loaded.error().detail);
      return false;
    }
    web = std::move(*loaded);
  }
  server = std::make_unique<http::Server>(
      world->loop.get_executor(), world->clock, *connections, router,
      [this](const std::string& fault) { log->error("http: {}", fault); });
  auto bound = server->listen_tcp(settings->http.listen, web);
  if (!bound) {
    log->critical("{}", bound.error().detail);
    return false;
  }
  address = (web && !web->cert_file.empty() ? "https://" : "http://") + *bound + "/";
  const auto control = server->listen_unix(settings->state_dir + "/control.sock");
  if (!control)
    log->error("no control socket, the command line cannot reach this agent: {}",
               control.error().detail);
  return true;
}

void Agent::Impl::announce() const {
  log->info("{} watches {}: {} check{}, {}", version_line(), host, settings->checks.size(),
            settings->checks.size() == 1 ? "" : "s", address);
  if (!settings->slack)
    log->info("no Slack: each incident's room is kept here, see `tocsin incident show`");
  if (!settings->pagerduty) log->info("no PagerDuty: nobody is paged, and every incident says so");
  log->info("to see an incident from end to end: tocsin drill --config {}", config_path);
}

Result<void> Agent::Impl::reload() {
  service_manager.reloading(world->clock.steady());
  auto loaded = load_configuration(config_path);
  if (loaded.settings && loaded.settings->state_dir != settings->state_dir) {
    loaded.settings.reset();
    loaded.report = config_path + ": state_dir cannot change while the agent runs; restart it";
  }
  last_reload.good = loaded.settings.has_value();
  last_reload.error = loaded.report;
  if (!loaded.settings) {
    telemetry->reloaded(false);
    log->error("the configuration was not reloaded, the old one stays in force:\n{}",
               loaded.report);
    self_watch->raise("config",
                      "a reload was refused: " + loaded.report.substr(0, loaded.report.find('\n')));
    service_manager.ready("running; the last reload was refused");
    return Error{Errc::malformed, loaded.report};
  }
  if (loaded.settings->http != settings->http || loaded.settings->proxy != settings->proxy ||
      loaded.settings->host != settings->host)
    log->warn("{}: changes of http, proxy and host take effect at the next start", config_path);
  settings = std::make_shared<const config::Settings>(std::move(*loaded.settings));
  for (const auto& warning : settings->warnings) log->warn("{}", warning);
  core->reload(settings);
  telemetry->reloaded(true);
  self_watch->clear("config");
  log->info("configuration reloaded: {} checks", settings->checks.size());
  service_manager.ready("running");
  return {};
}

asio::awaitable<void> Agent::Impl::serve_signals() {
  for (;;) {
    const auto signal = co_await signals->next();
    if (signal == SIGHUP) {
      [[maybe_unused]] const auto outcome = reload();
      continue;
    }
    log->info("stopping: signal {}", signal);
    break;
  }
  co_await shut_down();
}

asio::awaitable<void> Agent::Impl::shut_down() {
  service_manager.stopping();
  const auto deadline = world->clock.steady() + limits::shutdown_grace;
  auto late = co_await connections->stop(world->clock, deadline);
  server.reset();
  // Connections end at once when told to; whatever they took of the grace, a last write needs some.
  const auto left =
      std::max<Duration>(deadline - world->clock.steady(), limits::shutdown_grace / 2);
  auto others = co_await core->stop(left);
  late.insert(late.end(), others.begin(), others.end());
  for (const auto& name : late) log->warn("{} did not end in time", name);
  std::error_code ignored;
  fs::remove(settings->state_dir + "/control.sock", ignored);
  world->loop.stop();
}

asio::awaitable<void> Agent::Impl::keep_addresses() {
  constexpr Duration look_every = std::chrono::seconds{10};
  for (;;) {
    co_await world->clock.sleep_until(world->clock.steady() + look_every);
    auto text = addresses->take_unwritten();
    if (!text) continue;
    std::function<void()> work = [this, lines = std::move(*text)] { addresses->write(lines); };
    auto writing = blocking->run(std::move(work));
    co_await std::move(writing);
  }
}

asio::awaitable<void> Agent::Impl::feed_watchdog(Duration period) {
  for (;;) {
    // Reaching this line is the proof: the loop turns.
    service_manager.alive();
    co_await world->clock.sleep_until(world->clock.steady() + period);
  }
}

asio::awaitable<void> Agent::Impl::stay_small() {
  // Soon after the first runs, and then from time to time: an incident or a reload touches what a
  // quiet hour does not.
  for (Duration pause = std::chrono::seconds{5};; pause = std::chrono::hours{1}) {
    co_await world->clock.sleep_until(world->clock.steady() + pause);
    runtime::forget_startup_pages();
  }
}

int Agent::run() {
  auto& impl = *impl_;
  // One arena: two threads allocate, and memory that one freed must serve the other.
  mallopt(M_ARENA_MAX, 1);
  if (!impl.load()) return to_int(ExitCode::bad_configuration);
  auto proxy = RealWorld::proxy_for(impl.settings->proxy);
  if (!proxy) {
    impl.log->critical("proxy: {}", proxy.error().detail);
    return to_int(ExitCode::bad_configuration);
  }
  impl.world = std::make_unique<RealWorld>(std::move(*proxy));
  runtime::ignore_broken_pipes();
  impl.signals = std::make_unique<runtime::Signals>(
      impl.world->loop.get_executor(), std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP});
  if (!impl.open_store()) return to_int(ExitCode::failed);
  impl.world->remember_addresses(*impl.addresses);
  impl.wire();
  if (!impl.listen()) return to_int(ExitCode::failed);
  asio::co_spawn(impl.world->loop, impl.serve_signals(), [](std::exception_ptr fault) {
    if (fault) std::rethrow_exception(fault);
  });
  if (const auto period = impl.service_manager.watchdog_period())
    impl.core->tasks().spawn("watchdog", impl.feed_watchdog(*period));
  impl.core->tasks().spawn("forget start-up", impl.stay_small());
  impl.announce();
  impl.service_manager.ready("running");
  impl.world->loop.run();
  impl.log->info("stopped");
  return to_int(ExitCode::ok);
}

}  // namespace tocsin::app
