"""From kill -9 of nginx's master to the page arriving at the fake PagerDuty."""

import json
import math
import random
import statistics
import time

from contenders import FakePagerDuty, Monit, Nginx, ROUTING_KEY, Tocsin, listens, wait_for
from processes import end_pid, kill_now

SEED = 20260322


def _event(action):
    return {"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "bench-nginx",
            "payload": {"summary": "nginx is down", "source": "bench", "severity": "critical"}}


def _start_monit(crowd, folder, nginx, fake):
    contender = Monit(crowd, folder / "monit")
    for action in ("trigger", "resolve"):
        (contender.folder / action).write_text(json.dumps(_event(action)))
    # Without a shell in between: curl is what monit starts.
    send = f"/usr/bin/curl -s -o /dev/null --data-binary @{contender.folder}/{{}} {fake.url}"
    return contender.start([f"check process nginx with pidfile {nginx.pidfile}",
                            f'  if does not exist then exec "{send.format("trigger")}"',
                            f'  else if succeeded then exec "{send.format("resolve")}"'])


def _start_tocsin(crowd, folder, nginx, fake):
    # The state directory is on the disk of the temporary folder: the commit before the send is part of what is measured.
    check = {"name": "nginx", "type": "process", "match": {"pidfile": str(nginx.pidfile)},
             "critical": "up < 1", "clear": "up >= 1"}
    more = {"incidents": {"group_wait": "0s", "recover_hold": "0s"},
            "pagerduty": {"events_url": fake.url, "page": "bench",
                          "services": {"bench": {"routing_key": {"file": str(folder / "key")}}}}}
    (folder / "key").write_text(ROUTING_KEY)
    (folder / "key").chmod(0o600)
    return Tocsin(crowd, folder / "tocsin").start([check], more)


def _trials(start, crowd, folder, count):
    """Milliseconds of each trial; None where no page came in time."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)
    fake = FakePagerDuty(crowd, folder)
    nginx = Nginx(crowd, folder / "nginx").start()
    child = start(crowd, folder, nginx, fake)
    time.sleep(4)
    took = []
    for _ in range(count):
        fake.events()
        # Anywhere in the contender's cycle.
        time.sleep(2 + chance.random())
        workers = nginx.workers()
        killed_at = kill_now(nginx.child)
        page = fake.wait_for("trigger", 20)
        took.append((page["at_ns"] - killed_at) / 1e6 if page else None)
        # Workers outlive a killed master and hold its port.
        for pid in workers:
            end_pid(pid)
        wait_for(lambda: not listens(nginx.port), "the end of nginx's workers")
        nginx.pidfile.unlink(missing_ok=True)
        nginx.start()
        if page and not fake.wait_for("resolve", 30):
            raise RuntimeError("nginx came back and nobody resolved the page")
    crowd.end(child)
    crowd.end(nginx.child)
    crowd.end(fake.child)
    return took


def _quantile(values, share):
    """Nearest rank: a value that was measured."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _summary(name, took):
    seen = [one for one in took if one is not None]
    if not seen:
        raise RuntimeError(f"{name} never paged")
    figure = {"trials": len(took), "paged": len(seen), "median_ms": statistics.median(seen),
              "p95_ms": _quantile(seen, 0.95), "p99_ms": _quantile(seen, 0.99), "all_ms": seen}
    print(f"  {name:8} {figure['paged']} of {figure['trials']} paged   median {figure['median_ms']:8.2f} ms"
          f"   p95 {figure['p95_ms']:8.2f} ms   p99 {figure['p99_ms']:8.2f} ms")
    return figure


def measure(crowd, folder, options):
    print("\nfrom kill -9 of nginx to the page at the fake PagerDuty")
    figures = {"monit": _summary("monit", _trials(_start_monit, crowd, folder / "of-monit", options.trials))}
    if not options.without_tocsin:
        figures["tocsin"] = _summary("tocsin", _trials(_start_tocsin, crowd, folder / "of-tocsin", options.trials))
        figures["median_vs_monit"] = figures["tocsin"]["median_ms"] / figures["monit"]["median_ms"]
        print(f"  {figures['median_vs_monit']:.4f} x monit's median (wanted: a median of at most 5 ms, a p99 of at most 25 ms)")
    return figures
