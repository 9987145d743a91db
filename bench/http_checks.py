"""HTTP checks: CPU for each, and whether one target that hangs delays the others."""

import http.client
import socket
import threading
import time

from contenders import Blackbox, Monit, Nginx, Tocsin
from processes import cpu_seconds

TARGETS = 200
WARM_UP_SECONDS = 8
PROBE_CLIENTS = 8


class Hung:
    """A port that takes connections and never says a word."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]

    def close(self):
        self._listener.close()


def _ports(nginx, hung):
    return [hung.port if hung and number == 0 else nginx.port for number in range(TARGETS)]


def _monit_lines(ports):
    lines = []
    for number, port in enumerate(ports):
        lines += [f"check host target-{number} with address 127.0.0.1",
                  f'  if failed port {port} protocol http request "/" with timeout 5 seconds then alert']
    return lines


def _tocsin_checks(ports):
    return [{"name": f"target-{number}", "type": "http", "url": f"http://127.0.0.1:{port}/", "critical": "up < 1 for 1h"}
            for number, port in enumerate(ports)]


def _watch(child, nginx, seconds):
    """Requests that nginx saw, processor time, and time."""
    time.sleep(WARM_UP_SECONDS)
    requests, cpu, began = nginx.requests(), cpu_seconds(child.pid), time.monotonic()
    time.sleep(seconds)
    # Our own question is counted as well.
    return nginx.requests() - requests - 1, cpu_seconds(child.pid) - cpu, time.monotonic() - began


def _figure(name, checks, cpu, took):
    figure = {"checks": checks, "cpu_us_per_check": cpu / checks * 1e6, "checks_per_cpu_second": checks / cpu,
              "checks_per_second": checks / took}
    print(f"  {name:18} {figure['checks_per_cpu_second']:9.0f} checks for a CPU second   "
          f"{figure['cpu_us_per_check']:8.1f} us each   ({figure['checks_per_second']:.0f}/s)")
    return figure


def _scheduled(contender, configured, nginx, crowd, seconds, hung=None):
    child = contender.start(configured(_ports(nginx, hung)))
    checks, cpu, took = _watch(child, nginx, seconds)
    crowd.end(child)
    return checks, cpu, took


def _probe(port, target, until):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while time.monotonic() < until:
        connection.request("GET", f"/probe?module=http_2xx&target=127.0.0.1:{target}")
        connection.getresponse().read()


def _blackbox(crowd, folder, nginx, seconds):
    """Driven by clients that keep it busy; theirs is not counted."""
    blackbox = Blackbox(crowd, folder / "blackbox")
    began = time.monotonic()
    requests, cpu = nginx.requests(), cpu_seconds(blackbox.child.pid)
    clients = [threading.Thread(target=_probe, args=(blackbox.port, nginx.port, began + seconds))
               for _ in range(PROBE_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    result = nginx.requests() - requests - 1, cpu_seconds(blackbox.child.pid) - cpu, time.monotonic() - began
    crowd.end(blackbox.child)
    return result


def _with_one_hung(contender, configured, nginx, crowd, seconds, rate_before):
    """How long the period of the healthy targets becomes when one of the others hangs."""
    hung = Hung()
    checks, _, took = _scheduled(contender, configured, nginx, crowd, seconds, hung)
    hung.close()
    period = rate_before * (TARGETS - 1) / TARGETS / max(checks / took, 0.001)
    print(f"  {contender.name:18} with one of {TARGETS} targets hung, the period of the others is {period:.3f} x")
    return period


def measure(crowd, folder, options):
    seconds = max(5.0, options.seconds / 2)
    print(f"\nHTTP checks against nginx on loopback: {TARGETS} targets, once a second, a new connection each")
    nginx = Nginx(crowd, folder / "nginx").start()
    contenders = [(Monit, _monit_lines)]
    if not options.without_tocsin:
        contenders.append((Tocsin, _tocsin_checks))
    figures = {}
    for make, configured in contenders:
        plain = _scheduled(make(crowd, folder / make.name), configured, nginx, crowd, seconds)
        figures[make.name] = _figure(make.name, *plain)
    figures["blackbox"] = _figure("blackbox_exporter", *_blackbox(crowd, folder, nginx, seconds))
    for make, configured in contenders:
        contender = make(crowd, folder / f"{make.name}-hung")
        rate = figures[make.name]["checks_per_second"]
        figures[make.name]["period_with_one_hung"] = _with_one_hung(contender, configured, nginx, crowd, seconds, rate)
    if not options.without_tocsin:
        own = figures["tocsin"]
        figures["vs_blackbox"] = own["checks_per_cpu_second"] / figures["blackbox"]["checks_per_cpu_second"]
        figures["cpu_vs_monit"] = own["cpu_us_per_check"] / figures["monit"]["cpu_us_per_check"]
        print(f"  {figures['vs_blackbox']:.1f} x blackbox_exporter's checks for a CPU second (wanted: at least 8); "
              f"{figures['cpu_vs_monit']:.2f} x monit's CPU for a check (wanted: at most 1)")
    return figures
