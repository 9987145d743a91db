"""CPU and memory of watching one host once a second: load, memory, cpu, disk, five processes of which one is nginx."""

import time

from contenders import Monit, Nginx, Tocsin, host_checks_monit, host_checks_tocsin
from processes import cpu_seconds, pss_bytes

WARM_UP_SECONDS = 12


def _watched(crowd, folder):
    folder.mkdir(parents=True, exist_ok=True)
    nginx = Nginx(crowd, folder / "nginx").start()
    pidfiles = {"nginx": nginx.pidfile}
    for number in range(1, 5):
        child = crowd.start(["sleep", "infinity"])
        path = folder / f"worker-{number}.pid"
        path.write_text(f"{child.pid}\n")
        pidfiles[f"worker-{number}"] = path
    return pidfiles


def _measure_one(child, seconds):
    time.sleep(WARM_UP_SECONDS)
    before, began = cpu_seconds(child.pid), time.monotonic()
    time.sleep(seconds)
    used, took = cpu_seconds(child.pid) - before, time.monotonic() - began
    if child.poll() is not None:
        raise RuntimeError(f"{child.args[0]} ended during the measurement")
    return {"cpu_ms_per_cycle": used / took * 1000, "pss_mb": pss_bytes(child.pid) / 1e6}


def measure(crowd, folder, options):
    print("\nwatching one host, once a second: load, memory, cpu, disk, five processes")
    pidfiles = _watched(crowd, folder)
    figures = {}
    for wanted in (150, 1000):
        count = crowd.fill_host(wanted)
        # One after the other, so that they do not disturb each other; beside each other in time all the same.
        contenders = [(Monit(crowd, folder / f"monit-{wanted}"), host_checks_monit(pidfiles))]
        if not options.without_tocsin:
            contenders.append((Tocsin(crowd, folder / f"tocsin-{wanted}"), host_checks_tocsin(pidfiles)))
        for contender, checks in contenders:
            child = contender.start(checks)
            figure = _measure_one(child, options.seconds)
            crowd.end(child)
            figures[f"{contender.name}_{wanted}"] = figure
            print(f"  {contender.name:8} {count:5} processes  {figure['cpu_ms_per_cycle']:8.3f} ms CPU a second"
                  f"  {figure['pss_mb']:7.2f} MB PSS")
    if not options.without_tocsin:
        figures |= _ratios(figures)
    return figures


def _ratios(figures):
    def ratio(left, right, key):
        return figures[left][key] / figures[right][key]

    ratios = {"cpu_vs_monit_150": ratio("tocsin_150", "monit_150", "cpu_ms_per_cycle"),
              "cpu_1000_vs_150": ratio("tocsin_1000", "tocsin_150", "cpu_ms_per_cycle"),
              "cpu_vs_monit_1000": ratio("tocsin_1000", "monit_1000", "cpu_ms_per_cycle"),
              "pss_vs_monit": ratio("tocsin_150", "monit_150", "pss_mb")}
    print(f"  CPU: {ratios['cpu_vs_monit_150']:.3f} x monit at 150 processes (wanted: at most 0.15), "
          f"{ratios['cpu_vs_monit_1000']:.3f} x at 1000")
    print(f"  CPU at 1000 processes: {ratios['cpu_1000_vs_150']:.2f} x our own at 150 (wanted: at most 1.2)")
    print(f"  PSS: {ratios['pss_vs_monit']:.2f} x monit (wanted: at most 2)")
    return ratios
