"""1,000 mixed network checks a second on one core; and what a check of each type costs beside the plugin that does the same."""

import contextlib
import math
import os
import re
import time
import urllib.request

from contenders import Tocsin
from network_servers import ADDRESS, NAME, PASSWORD, TUBE, Servers
from processes import cpu_seconds, pss_bytes

PLUGINS = "/usr/lib/nagios/plugins"
WARM_UP_SECONDS = 8
WARM_UP_ALONE_SECONDS = 4
SCRAPED_EVERY_SECONDS = 15  # As a Prometheus would, for a scrape holds the loop as well.
LAG_WANTED_SECONDS = 0.050
PLUGIN_RUNS = 200

# How many of the thousand are of which type. Databases are few: a login makes PostgreSQL fork, and costs it more than all
# else here; the servers share the other core, and are not what is measured.
MIX = {"http": 350, "https": 50, "tcp": 250, "tls": 50, "dns": 150, "redis": 60, "queue": 50, "postgres": 20, "mysql": 20}
# How many when one type is measured alone.
ALONE = {"postgres": 20, "mysql": 20}
ALONE_OTHERWISE = 100


def _kinds(servers):
    """By type: the check as tocsin is told it, and the plugin that does the same or nearly so."""
    site, host = servers.site, "127.0.0.1"

    def plugin(name, port, *words):
        return [f"{PLUGINS}/{name}", "-H", host, "-P" if name in ("check_mysql", "check_pgsql") else "-p", str(port), *words]

    authority = {"tls": {"ca_file": str(site.authority)}}
    return {
        "http": ({"type": "http", "url": f"http://{host}:{site.port}/"}, plugin("check_http", site.port)),
        "https": ({"type": "http", "url": f"https://{host}:{site.tls_port}/", **authority},
                  plugin("check_http", site.tls_port, "--ssl")),
        "tcp": ({"type": "tcp", "address": f"{host}:{site.port}"}, plugin("check_tcp", site.port)),
        "tls": ({"type": "tls", "address": f"{host}:{site.tls_port}", "ca_file": str(site.authority)},
                plugin("check_tcp", site.tls_port, "--ssl", "-D", "3")),
        "dns": ({"type": "dns", "server": f"{host}:{servers.names.port}", "query": NAME, "expect": ADDRESS},
                plugin("check_dig", servers.names.port, "-l", NAME, "-a", ADDRESS)),
        "redis": ({"type": "redis", "address": f"{host}:{servers.redis.port}"},
                  plugin("check_tcp", servers.redis.port, "-E", "-s", "PING\\r\\n", "-e", "+PONG")),
        "queue": ({"type": "queue", "from": {"beanstalkd": {"address": f"{host}:{servers.beanstalkd.port}", "tube": TUBE}}},
                  plugin("check_tcp", servers.beanstalkd.port, "-E", "-s", f"stats-tube {TUBE}\\r\\n", "-e", "NOT_FOUND")),
        "postgres": ({"type": "postgres", "dsn": {"file": str(servers.postgres.dsn)}},
                     plugin("check_pgsql", servers.postgres.port, "-d", "postgres", "-l", "tocsin", "-p", PASSWORD)),
        "mysql": ({"type": "mysql", "dsn": {"file": str(servers.mariadb.dsn)}},
                  plugin("check_mysql", servers.mariadb.port, "-u", "tocsin", "-p", PASSWORD)),
    }


def _checks(kinds, counts):
    # One look that fails fires, so that an incident tells of it even between two of our own looks.
    return [{"name": f"{kind}-{number}", **kinds[kind][0], "critical": "up < 1"}
            for kind, count in counts.items() for number in range(count)]


class _Metrics:
    """What /metrics said at one moment."""

    def __init__(self, text):
        self._values = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                self._values[series] = float(value)

    def sum(self, pattern):
        wanted = re.compile(pattern)
        return sum(value for series, value in self._values.items() if wanted.match(series))

    def values(self, pattern):
        wanted = re.compile(pattern)
        return [value for series, value in self._values.items() if wanted.match(series)]

    def runs(self, outcome=".*"):
        return self.sum(rf'tocsin_check_runs_total\{{.*outcome="{outcome}"')

    def lag(self):
        """Runs by upper bound of the lag in seconds, cumulative."""
        found = {}
        for series, value in self._values.items():
            bound = re.match(r'tocsin_schedule_lag_seconds_bucket\{le="(.*)"\}', series)
            if bound:
                found[float(bound[1])] = value
        return dict(sorted(found.items()))


def _scrape(contender):
    with urllib.request.urlopen(f"http://127.0.0.1:{contender.port}/metrics", timeout=10) as reply:
        return reply.read().decode()


def _quantile(before, after, share):
    """Linear within its bucket, as histogram_quantile() of Prometheus is."""
    counts = {bound: after[bound] - before[bound] for bound in after}
    rank = share * counts[math.inf]
    low, below = 0.0, 0.0
    for bound, count in counts.items():
        if count >= rank:
            return bound if math.isinf(bound) else low + (bound - low) * (rank - below) / max(count - below, 1)
        low, below = bound, count
    return math.inf


def _must_be_well(first, last, checks):
    """A check that was down, or could not measure, measured something else than the same checks that are well."""
    ups = last.values(r"tocsin_(?!check_)[a-z]+_up\{")
    bad = {"not up": checks - sum(ups), "runs that failed": last.runs("failed") - first.runs("failed"),
           "runs cut off": last.runs("timed_out") - first.runs("timed_out"),
           "incidents": last.sum("tocsin_incidents_opened_total") - first.sum("tocsin_incidents_opened_total")}
    if len(ups) != checks or any(bad.values()):
        raise RuntimeError(f"of {checks} checks {len(ups)} tell whether they are up; {bad}")


def _watch(contender, child, seconds, warm_up, scraped_every=math.inf):
    """Processor time, time, memory, and what the agent said of itself before and after."""
    time.sleep(warm_up)
    first, began = _scrape(contender), time.monotonic()
    cpu = cpu_seconds(child.pid)
    next_scrape = began + scraped_every
    while time.monotonic() < began + seconds:
        time.sleep(max(0.0, min(next_scrape, began + seconds) - time.monotonic()))
        if time.monotonic() >= next_scrape:
            _scrape(contender)
            next_scrape += scraped_every
    cpu = cpu_seconds(child.pid) - cpu
    pss = pss_bytes(child.pid)
    took = time.monotonic() - began
    return cpu, took, pss, _Metrics(first), _Metrics(_scrape(contender))


def _measure_mix(crowd, folder, kinds, core, seconds):
    checks = _checks(kinds, MIX)
    contender = Tocsin(crowd, folder / "mix")
    child = contender.start(checks, on_core=core)
    cpu, took, pss, first, last = _watch(contender, child, seconds, WARM_UP_SECONDS, SCRAPED_EVERY_SECONDS)
    _must_be_well(first, last, len(checks))
    crowd.end(child)
    runs = last.runs() - first.runs()
    lag_before, lag_after = first.lag(), last.lag()
    figure = {"checks": len(checks), "mix": MIX, "seconds": took, "runs": runs, "runs_per_second": runs / took,
              "runs_wanted": len(checks) * took, "lag_p50_ms": _quantile(lag_before, lag_after, 0.5) * 1000,
              "lag_p99_ms": _quantile(lag_before, lag_after, 0.99) * 1000,
              "lag_max_at_most_ms": next(bound for bound in lag_after if lag_after[bound] - lag_before[bound]
                                         >= lag_after[math.inf] - lag_before[math.inf]) * 1000,
              "core_share": cpu / took, "cpu_us_per_check": cpu / runs * 1e6, "pss_mb": pss / 1e6}
    print("  " + ", ".join(f"{count} {kind}" for kind, count in MIX.items()))
    print(f"  {figure['runs_per_second']:8.1f} runs a second ({runs / figure['runs_wanted']:.2%} of those due; wanted: 99% "
          f"to 101%)   all up   {figure['core_share']:.1%} of the core   {figure['cpu_us_per_check']:.1f} us CPU a check"
          f"   {figure['pss_mb']:.1f} MB PSS")
    print(f"  lag p50 {figure['lag_p50_ms']:.2f} ms   p99 {figure['lag_p99_ms']:.2f} ms, "
          f"{figure['lag_p99_ms'] / LAG_WANTED_SECONDS / 1000:.2f} x what is wanted (at most 50 ms)"
          f"   none above {figure['lag_max_at_most_ms']:g} ms")
    return figure


def _measure_alone(crowd, folder, kinds, kind, core, seconds, idle):
    checks = _checks(kinds, {kind: ALONE.get(kind, ALONE_OTHERWISE)}) if kind else []
    contender = Tocsin(crowd, folder / (kind or "idle"))
    child = contender.start(checks, on_core=core)
    cpu, took, _, first, last = _watch(contender, child, seconds, WARM_UP_ALONE_SECONDS)
    _must_be_well(first, last, len(checks))
    crowd.end(child)
    if not kind:
        return cpu / took
    return (cpu - idle * took) / (last.runs() - first.runs()) * 1e6


def _plugin_cpu_us(command, runs):
    """Of the plugin and of what it starts and waits for, from its exec to its end."""
    used = 0.0
    nothing = os.open(os.devnull, os.O_RDWR)
    for _ in range(runs):
        pid = os.posix_spawn(command[0], command, dict(os.environ),
                             file_actions=[(os.POSIX_SPAWN_DUP2, nothing, stream) for stream in (0, 1, 2)])
        _, status, usage = os.wait4(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            raise RuntimeError(f"{' '.join(command)} does not find the server well")
        used += usage.ru_utime + usage.ru_stime
    os.close(nothing)
    return used / runs * 1e6


@contextlib.contextmanager
def _only_on(cores):
    """We, and what we start meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _beside_plugins(crowd, folder, kinds, core, options):
    seconds = max(5.0, options.seconds / 6)
    figures = {}
    print(f"\nCPU of one check, beside a run of the plugin that does the same ({PLUGIN_RUNS} runs each; servers do not count)")
    print(f"  {'':10} {'tocsin us':>10} {'plugin us':>10} {'ratio':>8}   plugin")
    idle = 0.0 if options.without_tocsin else _measure_alone(crowd, folder, kinds, None, core, seconds, 0.0)
    for kind, (_, command) in kinds.items():
        with _only_on({core}):
            figure = {"plugin": command[0].rpartition("/")[2], "plugin_cpu_us": _plugin_cpu_us(command, PLUGIN_RUNS)}
        own = "-"
        if not options.without_tocsin:
            figure["cpu_us"] = _measure_alone(crowd, folder, kinds, kind, core, seconds, idle)
            figure["cpu_vs_plugin"] = figure["cpu_us"] / figure["plugin_cpu_us"]
            own = f"{figure['cpu_us']:.1f}"
        print(f"  {kind:10} {own:>10} {figure['plugin_cpu_us']:10.1f} {figure.get('cpu_vs_plugin', math.nan):8.4f}"
              f"   {figure['plugin']}", flush=True)
        figures[kind] = figure
    return figures


def measure(crowd, folder, options):
    cores = sorted(os.sched_getaffinity(0))
    # The agent has the last core for itself; servers, and we, the others. With one core they share it.
    core, others = cores[-1], set(cores[:-1]) or set(cores)
    with _only_on(others):
        servers = Servers(crowd, folder / "servers")
        kinds = _kinds(servers)
        figures = {"core": core}
        if not options.without_tocsin:
            print(f"\n{sum(MIX.values())} network checks, each once a second, the agent on core {core} alone")
            figures["mix"] = _measure_mix(crowd, folder, kinds, core, options.seconds)
        figures["alone"] = _beside_plugins(crowd, folder, kinds, core, options)
    return figures
