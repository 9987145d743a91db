"""tocsin beside monit, blackbox_exporter and monitoring-plugins, on this machine, in one run. Run it through bench/run."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import contenders
import host_set
import http_checks
import kill_to_page
import network_checks
from processes import Crowd

PARTS = {"host": host_set.measure, "page": kill_to_page.measure, "http": http_checks.measure,
         "network": network_checks.measure}


def machine_noise():
    """How much the same piece of work varies on this machine, now: (p90 - p10) / median of its duration."""
    durations = []
    for _ in range(30):
        began = time.perf_counter()
        sum(range(400_000))
        durations.append(time.perf_counter() - began)
    deciles = statistics.quantiles(durations, n=10)
    return (deciles[8] - deciles[0]) / statistics.median(durations)


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="one part; may be repeated")
    parser.add_argument("--seconds", type=float, default=60, help="length of each measurement (default 60)")
    parser.add_argument("--trials", type=int, default=30, help="kills of nginx for each contender (default 30)")
    parser.add_argument("--tocsin", type=pathlib.Path, default=contenders.TOCSIN, help="the program to measure")
    parser.add_argument("--without-tocsin", action="store_true", help="peers only")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to this file too")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder, with all logs")
    options = parser.parse_args()
    contenders.TOCSIN = options.tocsin
    if not options.without_tocsin and not options.tocsin.exists():
        sys.exit(f"{options.tocsin} is not there: scripts/build release")
    if not contenders.FAKE.exists():
        sys.exit(f"{contenders.FAKE} is not there: scripts/build dev fake_receivers")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o711)  # A server that runs as another user passes through to a folder of its own.
    figures = {"processors": os.cpu_count(), "noise_before": machine_noise()}
    try:
        for name in options.only or PARTS:
            with Crowd() as crowd:
                figures[name] = PARTS[name](crowd, folder / name, options)
        figures["noise_after"] = machine_noise()
        print(f"\nnoise of the machine: the same work varied by {figures['noise_before']:.0%} before and "
              f"{figures['noise_after']:.0%} after (p10 to p90)")
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n")
    finally:
        if options.keep:
            print(f"logs and configurations: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
