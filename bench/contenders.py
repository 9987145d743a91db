"""The programs that are measured, each configured for the same work."""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOCSIN = ROOT / "build/release/tocsin"
FAKE = ROOT / "build/dev/tests/fakes/fake_receivers"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, sentence, seconds=15):
    """Polls until `what` is true: for starts and stops, never inside a measurement."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.02)
    raise RuntimeError(f"{sentence} did not happen within {seconds} s")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Nginx:
    """An nginx of our own. It counts its requests."""

    def __init__(self, crowd, folder):
        self.crowd, self.folder, self.port = crowd, folder, free_port()
        self.pidfile = folder / "nginx.pid"
        folder.mkdir(parents=True, exist_ok=True)
        user = "user root;" if os.getuid() == 0 else ""
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"""{user} worker_processes 1; daemon off; pid {self.pidfile}; error_log {folder}/error.log;
            events {{ worker_connections 4096; }}
            http {{ access_log off; {temporary} keepalive_requests 1000000;
              server {{ listen 127.0.0.1:{self.port} backlog=4096;
                location = /count {{ stub_status; }}
                location / {{ return 200 "ok\\n"; }} }} }}""")
        self.child = None

    def start(self):
        self.child = self.crowd.start(
            ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")])
        wait_for(lambda: self.pidfile.exists() and listens(self.port), "the start of nginx")
        return self

    def workers(self):
        text = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def requests(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/count", timeout=5) as reply:
            return int(reply.read().split(b"\n")[2].split()[2])


class FakePagerDuty:
    """The fake receivers as a program; their log says when a page arrived, on the same clock as ours."""

    def __init__(self, crowd, folder):
        self.log_path = folder / "pages.log"
        self.child = crowd.start([str(FAKE), "--log"], stdout=open(self.log_path, "wb"))
        wait_for(lambda: b"\n" in self.log_path.read_bytes(), "the start of fake_receivers")
        self._log = open(self.log_path, encoding="utf-8")
        self.url = json.loads(self._log.readline())["pagerduty"]
        self._rest = ""

    def events(self):
        """Those that arrived since the last call."""
        self._rest += self._log.read()
        *lines, self._rest = self._rest.split("\n")
        return [event for event in map(json.loads, lines) if event["receiver"] == "pagerduty"]

    def wait_for(self, action, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.events():
                if event.get("action") == action:
                    return event
            time.sleep(0.01)
        return None


def host_checks_monit(pidfiles):
    lines = ["check system bench",
             "  if loadavg (1min) > 10000 then alert",
             "  if memory usage > 99.9% then alert",
             "  if cpu usage (wait) > 99.9% then alert",
             "check filesystem root-disk with path /",
             "  if space usage > 99.9% then alert"]
    for name, path in pidfiles.items():
        lines += [f"check process {name} with pidfile {path}", "  if does not exist then alert"]
    return lines


def host_checks_tocsin(pidfiles):
    """The same set, with rules that do not fire."""
    checks = [{"name": "load", "type": "load", "critical": "load1 > 10000"},
              {"name": "memory", "type": "memory", "critical": "available_ratio < 0.1%"},
              {"name": "cpu", "type": "cpu", "critical": "iowait_ratio > 99.9%"},
              {"name": "root-disk", "type": "disk", "mount": "/", "critical": "used_ratio > 99.9%"}]
    for name, path in pidfiles.items():
        checks.append({"name": name, "type": "process", "match": {"pidfile": str(path)}, "critical": "up < 1"})
    return checks


class Monit:
    name = "monit"

    def __init__(self, crowd, folder):
        self.crowd, self.folder = crowd, folder
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, lines):
        control = self.folder / "monitrc"
        head = ["set daemon 1", f"set log {self.folder}/monit.log", f"set pidfile {self.folder}/monit.pid",
                f"set idfile {self.folder}/monit.id", f"set statefile {self.folder}/monit.state"]
        control.write_text("\n".join(head + lines) + "\n")
        control.chmod(0o700)
        return self.crowd.start(["monit", "-I", "-c", str(control)], stdout=open(self.folder / "out.log", "wb"), stderr=subprocess.STDOUT)


class Tocsin:
    name = "tocsin"

    def __init__(self, crowd, folder):
        self.crowd, self.folder = crowd, folder
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, checks, more=None, on_core=None):
        self.port = port = free_port()
        settings = {"environment": "bench", "timezone": "UTC", "state_dir": str(self.folder / "state"),
                    "http": {"listen": f"127.0.0.1:{port}"}, "defaults": {"every": "1s", "timeout": "900ms"},
                    "checks": checks, **(more or {})}
        path = self.folder / "tocsin.yaml"
        path.write_text(json.dumps(settings, indent=1))  # JSON is YAML.
        (self.folder / "state").mkdir(exist_ok=True)
        log = open(self.folder / "out.log", "wb")
        pinned = [] if on_core is None else ["taskset", "--cpu-list", str(on_core)]
        child = self.crowd.start([*pinned, str(TOCSIN), "run", "--config", str(path)], stdout=log, stderr=log)
        try:
            wait_for(lambda: child.poll() is None and listens(port), "the start of tocsin")
        except RuntimeError:
            raise RuntimeError("tocsin did not start:\n" + (self.folder / "out.log").read_text()[-3000:]) from None
        return child


class Blackbox:
    name = "blackbox_exporter"

    def __init__(self, crowd, folder):
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "blackbox.yml"
        config.write_text("modules: {http_2xx: {prober: http, timeout: 900ms, http: {preferred_ip_protocol: ip4}}}\n")
        log = open(folder / "out.log", "wb")
        self.child = crowd.start(
            ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self.port}",
             "--log.level=error"], stdout=log, stderr=log)
        wait_for(lambda: listens(self.port), "the start of blackbox_exporter")
