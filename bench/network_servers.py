"""Real servers on loopback for network checks, each on a free port and in a folder of its own."""

import os
import pathlib
import pwd
import subprocess

from contenders import free_port, listens, wait_for

NAME = "www.shop.example"
ADDRESS = "192.0.2.10"
PASSWORD = "correct-horse"
TUBE = "mailers"


def _run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def _secret(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


class _Server:
    """Started with the command that `prepare` returns; somebody else may take the port before it does."""

    def __init__(self, crowd, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        for _ in range(5):
            self.port = free_port()
            log = open(folder / "out.log", "ab")
            self.child = crowd.start(self.command(), stdout=log, stderr=log)
            try:
                wait_for(lambda: self.child.poll() is not None or self.answers(), "a start", 30)
            except RuntimeError:
                crowd.end(self.child)
            if self.child.poll() is None:
                return
        raise RuntimeError(f"{type(self).__name__} did not start:\n" + (folder / "out.log").read_text()[-3000:])

    def answers(self):
        return listens(self.port)


class Site(_Server):
    """nginx with one worker: the same short page over http and https, with a certificate for localhost."""

    def command(self):
        folder, self.tls_port = self.folder, free_port()
        self.authority = folder / "ca.pem"
        self._certificates()
        user = "user root;" if os.getuid() == 0 else ""
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"""{user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
            events {{ worker_connections 4096; }}
            http {{ access_log off; {temporary}
              server {{ listen 127.0.0.1:{self.port} backlog=4096; listen 127.0.0.1:{self.tls_port} ssl backlog=4096;
                ssl_certificate {folder}/site.pem; ssl_certificate_key {folder}/site.key;
                location / {{ return 200 "ok\\n"; }} }} }}""")
        return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]

    def _certificates(self):
        """An authority and what it signed, on the curve that most public certificates of today are on."""
        folder = self.folder
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _run(["openssl", "req", "-x509", *key, "-keyout", folder / "ca.key", "-out", self.authority, "-days", "900",
              "-subj", "/CN=bench authority", "-addext", "keyUsage=critical,keyCertSign"])
        _run(["openssl", "req", *key, "-keyout", folder / "site.key", "-out", folder / "site.csr", "-subj", "/CN=localhost"])
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _run(["openssl", "x509", "-req", "-in", folder / "site.csr", "-CA", self.authority, "-CAkey", folder / "ca.key",
              "-CAcreateserial", "-days", "365", "-out", folder / "site.pem", "-extfile", folder / "names"])


class Redis(_Server):
    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]


class Beanstalkd(_Server):
    def command(self):
        return ["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port)]


class NameServer(_Server):
    """dnsmasq that knows one name."""

    def command(self):
        names = self.folder / "hosts"
        names.write_text(f"{ADDRESS} {NAME}\n")
        user = ["--user=root"] if os.getuid() == 0 else []
        return ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", *user,
                "--bind-interfaces", "--listen-address=127.0.0.1", "--pid-file=", f"--port={self.port}",
                f"--addn-hosts={names}", "--local=/shop.example/", "--local-ttl=60", "--log-facility=-"]


class Postgres(_Server):
    """PostgreSQL, which runs as its own user where we are root, and a role with the password that SCRAM asks for."""

    def __init__(self, crowd, folder):
        self.binaries = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])).parent
        self.data = None
        super().__init__(crowd, folder)
        folder = self.folder
        _run([self.binaries / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", str(self.port), "-U", "postgres",
              "-c", f"CREATE ROLE tocsin LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO tocsin"])
        self.dsn = _secret(folder.parent / "postgres.dsn",
                           f"postgresql://tocsin:{PASSWORD}@127.0.0.1:{self.port}/postgres?sslmode=disable")

    def command(self):
        if not self.data:
            self.data = self.folder / "data"
            if os.getuid() == 0:
                owner = pwd.getpwnam("postgres")
                os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            _run(self._as_owner([self.binaries / "initdb", "-D", self.data, "-U", "postgres", "--auth-local=trust",
                                 "--auth-host=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"]), cwd="/")
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
                    "fsync": "off", "shared_buffers": "16MB", "autovacuum": "off"}
        words = [self.binaries / "postgres", "-D", self.data]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        return self._as_owner(words)

    def _as_owner(self, command):
        if os.getuid() != 0:
            return command
        return ["/usr/bin/setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", *command]

    def answers(self):
        return b"ready to accept" in (self.folder / "out.log").read_bytes() and listens(self.port)


class Mariadb(_Server):
    def __init__(self, crowd, folder):
        self.data = None
        super().__init__(crowd, folder)
        self.dsn = _secret(folder.parent / "mariadb.dsn", f"mysql://tocsin:{PASSWORD}@127.0.0.1:{self.port}/")

    def command(self):
        user = ["--user=root"] if os.getuid() == 0 else []
        if not self.data:
            self.data = self.folder / "data"
            _run(["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
                  "--skip-test-db", "--innodb-log-file-size=4M", *user])
            (self.folder / "first.sql").write_text(
                f"CREATE OR REPLACE USER tocsin@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
                "GRANT PROCESS, REPLICATION CLIENT, SLAVE MONITOR ON *.* TO tocsin@'127.0.0.1';\n")
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.folder}/socket",
                f"--pid-file={self.folder}/pid", f"--port={self.port}", "--bind-address=127.0.0.1",
                "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--skip-name-resolve",
                f"--init-file={self.folder}/first.sql", *user]

    def answers(self):
        return b"ready for connections" in (self.folder / "out.log").read_bytes()


class Servers:
    """All of them."""

    def __init__(self, crowd, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.site = Site(crowd, folder / "site")
        self.redis = Redis(crowd, folder / "redis")
        self.beanstalkd = Beanstalkd(crowd, folder / "beanstalkd")
        self.names = NameServer(crowd, folder / "names")
        self.postgres = Postgres(crowd, folder / "postgres")
        self.mariadb = Mariadb(crowd, folder / "mariadb")
