# SPDX-License-Identifier: Apache-2.0
"""Debian's own servers on loopback, for the engines of the store: MariaDB, Redis, RabbitMQ,
sshd. Each in a folder of its own, as an unprivileged user where it can, ended by its id.

    with MariaDb() as db:
        db.connect(bao); db.can_log_in("v-app-…", "password")

`X.missing()` says which program this machine lacks, or None."""
import base64
import http.server
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from machine import free_port, mortal, start

LIMIT_S = 150


def find(name):
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class Server:
    """A folder, programs in it, their end."""

    PROGRAMS = ()
    PASSWORD = "admin-of-the-test"

    @classmethod
    def missing(cls):
        return next((f"no {p} on this machine" for p in cls.PROGRAMS if not find(p)), None)

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-srv-"))
        self.port = free_port()
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        self.log = open(self.dir / "log", "ab")
        self.processes = []

    def run(self, *argv, **kw):
        return subprocess.run(mortal(argv, self.user), check=True, timeout=LIMIT_S, cwd=self.dir,
                              stdout=self.log, stderr=self.log, **kw)

    def spawn(self, *argv, **kw):
        self.processes.append(start(argv, self.user, stdin=subprocess.DEVNULL, stdout=self.log,
                                    stderr=self.log, cwd=self.dir, **kw))

    def wait(self, ready):
        end = time.monotonic() + LIMIT_S
        while not ready():
            if self.processes[-1].poll() is not None or time.monotonic() > end:
                said = (self.dir / "log").read_text(errors="replace")[-2000:]
                self.__exit__()
                raise RuntimeError(f"{type(self).__name__} did not start: {said}")
            time.sleep(0.05)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(60)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait(60)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


# --- databases ----------------------------------------------------------------------------


class MariaDb(Server):
    PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")

    def start(self):
        data = self.dir / "data"
        self.run(find("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
                 "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        self.spawn(find("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={self.port}",
                   "--bind-address=127.0.0.1", f"--socket={self.dir}/s", f"--pid-file={self.dir}/p",
                   "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
                   "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
                   "--performance-schema=off")
        self.wait(lambda: self._query("root", "", "select 1") == "1")
        self.sql(f"create user 'admin'@'%' identified by '{self.PASSWORD}'", "root", "")
        self.sql("grant all on *.* to 'admin'@'%' with grant option", "root", "")

    def _query(self, user, password, text):
        done = subprocess.run(
            [find("mariadb"), "--no-defaults", "-h127.0.0.1", f"-P{self.port}", f"-u{user}",
             "--connect-timeout=10", "-Nse", text], capture_output=True, text=True,
            timeout=LIMIT_S, env={**os.environ, "MYSQL_PWD": password})
        return None if done.returncode else done.stdout.strip()

    def sql(self, text, user="admin", password=None):
        answer = self._query(user, self.PASSWORD if password is None else password, text)
        assert answer is not None, text
        return answer

    def can_log_in(self, user, password):
        return self._query(user, password, "select 1") == "1"

    def connect(self, bao, mount):
        bao.mount(mount, "database")
        bao.put(f"{mount}/config/db", {
            "plugin_name": "mysql-database-plugin", "allowed_roles": "*", "username": "admin",
            "password": self.PASSWORD,
            "connection_url": "{{username}}:{{password}}@tcp(127.0.0.1:" + f"{self.port})/"})

    def role(self, bao, mount, ttl, max_ttl):
        bao.put(f"{mount}/roles/app", {
            "db_name": "db", "default_ttl": ttl, "max_ttl": max_ttl,
            "creation_statements": ["create user '{{name}}'@'%' identified by '{{password}}'"]})

    def static_role(self, bao, mount, name, period):
        self.sql(f"create or replace user '{name}'@'%' identified by 'first'")
        bao.put(f"{mount}/static-roles/{name}", {"db_name": "db", "username": name,
                                                 "rotation_period": period})


class Redis(Server):
    """redis-tools holds the server too: the program goes by the name it is called with."""

    PROGRAMS = ("redis-check-rdb",)
    plugin = "redis-database-plugin"

    def start(self):
        (self.dir / "redis.conf").write_text(
            f'bind 127.0.0.1\nport {self.port}\nsave ""\nappendonly no\ndir {self.dir}\n'
            f"requirepass {self.PASSWORD}\n")
        (self.dir / "redis-server").symlink_to(find("redis-check-rdb"))
        self.spawn(self.dir / "redis-server", str(self.dir / "redis.conf"))
        self.wait(lambda: self.can_log_in("default", self.PASSWORD))

    def can_log_in(self, user, password):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as s:
                s.settimeout(10)
                words = ["AUTH", user, password]
                s.sendall((f"*{len(words)}\r\n" + "".join(
                    f"${len(w.encode())}\r\n{w}\r\n" for w in words)).encode())
                return s.recv(100).startswith(b"+OK")
        except OSError:
            return False

    def connect(self, bao, mount):
        bao.mount(mount, "database")
        bao.put(f"{mount}/config/db", {
            "plugin_name": self.plugin, "allowed_roles": "*", "host": "127.0.0.1",
            "port": self.port, "username": "default", "password": self.PASSWORD})

    def role(self, bao, mount, ttl, max_ttl):
        bao.put(f"{mount}/roles/app", {"db_name": "db", "default_ttl": ttl, "max_ttl": max_ttl,
                                       "creation_statements": ['["~*", "+@read"]']})

    def command(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.settimeout(10)
            for c in (("AUTH", "default", self.PASSWORD), words):
                s.sendall((f"*{len(c)}\r\n" + "".join(
                    f"${len(w.encode())}\r\n{w}\r\n" for w in c)).encode())
                answer = s.recv(1000)
                assert answer.startswith(b"+OK"), answer

    def static_role(self, bao, mount, name, period):
        self.command("ACL", "SETUSER", name, "on", ">first", "~*", "+@read")
        bao.put(f"{mount}/static-roles/{name}", {"db_name": "db", "username": name,
                                                 "rotation_period": period})


class RabbitMq(Server):
    PROGRAMS = ("rabbitmq-server", "epmd")

    def start(self):
        self.http = free_port()
        epmd, dist = free_port(), free_port()
        (self.dir / "plugins").write_text("[rabbitmq_management].\n")
        (self.dir / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\nmanagement.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.http}\ndefault_user = admin\n"
            f"default_pass = {self.PASSWORD}\nvm_memory_high_watermark.absolute = 256MB\n"
            "disk_free_limit.absolute = 1MB\n")
        env = {**os.environ, "HOME": str(self.dir), "ERL_EPMD_PORT": str(epmd),
               "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODENAME": "ampoule@localhost",
               "RABBITMQ_DIST_PORT": str(dist), "RABBITMQ_MNESIA_BASE": str(self.dir / "db"),
               "RABBITMQ_LOG_BASE": str(self.dir / "logs"),
               "RABBITMQ_CONFIG_FILE": str(self.dir / "rabbitmq.conf"),
               "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.dir / "plugins"),
               "RABBITMQ_PID_FILE": str(self.dir / "pid"),
               "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface "
                                                      "{127,0,0,1}"}
        # Erlang's port mapper stays ours to end: else the server would start one for ever.
        self.spawn(find("epmd"), env=env)
        self.spawn("/usr/lib/rabbitmq/bin/rabbitmq-server", env=env)
        self.wait(lambda: self.can_log_in("admin", self.PASSWORD))

    def can_log_in(self, user, password):
        word = base64.b64encode(f"{user}:{password}".encode()).decode()
        req = urllib.request.Request(f"http://127.0.0.1:{self.http}/api/whoami",
                                     headers={"Authorization": f"Basic {word}"})
        try:
            with urllib.request.urlopen(req, timeout=10) as r:
                return json.load(r)["name"] == user
        except (OSError, urllib.error.URLError):
            return False

    def connect(self, bao, mount):
        bao.mount(mount, "rabbitmq")
        bao.put(f"{mount}/config/connection", {
            "connection_uri": f"http://127.0.0.1:{self.http}", "username": "admin",
            "password": self.PASSWORD})

    def role(self, bao, mount, ttl, max_ttl):
        bao.put(f"{mount}/config/lease", {"ttl": ttl, "max_ttl": max_ttl})
        bao.put(f"{mount}/roles/app", {
            "tags": "management", "vhosts": json.dumps({"/": {"read": ".*", "write": "",
                                                              "configure": ""}})})


# --- sshd ---------------------------------------------------------------------------------


class Sshd(Server):
    """Logs the user of the tests in with a certificate of a trusted authority; nothing else."""

    PROGRAMS = ("sshd", "ssh", "ssh-keygen")

    def start(self):
        self.user, self.name = None, pwd.getpwuid(os.geteuid()).pw_name
        os.chown(self.dir, os.geteuid(), os.getegid())
        self.dir.chmod(0o700)
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.trusted = self.dir / "trusted"
        self.trusted.write_text("")
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.dir / "host"))
        (self.dir / "conf").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.dir}/host\nUsePAM no\n"
            f"TrustedUserCAKeys {self.trusted}\nPidFile none\nPermitRootLogin yes\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\n"
            f"AuthorizedKeysFile {self.dir}/none\n")
        self.spawn(find("sshd"), "-D", "-e", "-f", str(self.dir / "conf"))
        self.wait(self._listens)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def can_log_in(self, key, certificate):
        done = subprocess.run(
            ["ssh", "-F", "none", "-p", str(self.port), "-i", key, "-o",
             f"CertificateFile={certificate}", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
             "LogLevel=ERROR", f"{self.name}@127.0.0.1", "echo", "in"],
            capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
        return done.stdout == "in\n"


# --- a stand-in ---------------------------------------------------------------------------


class TokenRequests:
    """The one call of a Kubernetes API server that the store's kubernetes engine needs for
    an account that exists. A stand-in: no cluster is at hand in these tests. The request's
    body, which is protobuf, is not looked at: each token lives for SECONDS."""

    SECONDS = 10

    def __init__(self):
        self.tokens = {}  # token: (namespace, account, seconds)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                parts = self.path.split("?")[0].strip("/").split("/")
                good = (len(parts) == 7 and parts[:3] == ["api", "v1", "namespaces"]
                        and parts[4] == "serviceaccounts" and parts[6] == "token")
                answer = outer.make(parts[3], parts[5]) if good else {
                    "kind": "Status", "status": "Failure", "code": 404}
                text = json.dumps(answer).encode()
                self.send_response(201 if good else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def make(self, namespace, account):
        seconds = self.SECONDS
        now = int(time.time())
        part = [base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode() for x in (
            {"alg": "RS256"}, {"iat": now, "exp": now + seconds, "n": len(self.tokens),
                              "sub": f"system:serviceaccount:{namespace}:{account}"})]
        token = ".".join([*part, "c2ln"])
        self.tokens[token] = (namespace, account, seconds)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds))
        return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"name": account, "namespace": namespace},
                "spec": {"audiences": [], "expirationSeconds": seconds},
                "status": {"token": token, "expirationTimestamp": ends}}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
