"""Processes of our own: started here, measured from /proc, ended by their ids and no other way."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid):
    """Parent, and the ticks of children that ended and were waited for."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), int(fields[13]) + int(fields[14])


def family(root):
    """The process and all that descend from it."""
    parents = {}
    for pid in pids():
        with contextlib.suppress(OSError):
            parents[pid] = _stat(pid)[0]
    members, fresh = {root}, {root}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - members
        members |= fresh
    return members


def cpu_seconds(root):
    """Processor time of the family: the scheduler's own nanoseconds for those alive, ticks for children that ended."""
    total = 0.0
    for pid in family(root):
        with contextlib.suppress(OSError):
            total += _stat(pid)[1] / TICKS_PER_SECOND
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0]) / 1e9
    return total


def pss_bytes(root):
    """Memory of the family, each shared page divided among those who map it."""
    total = 0
    for pid in family(root):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


class Crowd:
    """Starts processes and ends every one of them when it is left."""

    def __init__(self):
        self._started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end_all()

    def start(self, command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen(command, **options)
        self._started.append(child)
        return child

    def fill_host(self, wanted):
        """Sleepers, until so many processes are on the host."""
        for _ in range(max(0, wanted - len(pids()))):
            self.start(["sleep", "infinity"])
        time.sleep(0.5)
        return len(pids())

    def end(self, child):
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self._started:
            self._started.remove(child)

    def end_all(self):
        for child in self._started:
            if child.poll() is None:
                child.terminate()
        for child in list(self._started):
            self.end(child)


def kill_now(child):
    """SIGKILL, and reap at once, so that no zombie stands in for the living. Returns the instant before the kill."""
    at = time.monotonic_ns()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    return at


def end_pid(pid):
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
