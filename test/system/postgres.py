# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of Debian's on loopback, for the database engine: in a folder of its own, as
an unprivileged user, ended by its id. None of it when the machine has no server."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from machine import free_port, mortal, start

LIMIT_S = 120


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


class Postgres:
    PASSWORD = "admin-of-the-test"

    def __init__(self):
        self.bin = binaries()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-pg-"))
        self.port = free_port()
        self.user = None if os.geteuid() else self._unprivileged()
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        self.process = None

    @staticmethod
    def _unprivileged():
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                pass
        return None

    def _run(self, *argv, **kw):
        return subprocess.run(mortal(argv, self.user), check=True, capture_output=True,
                              timeout=LIMIT_S, cwd=self.dir, **kw)

    def __enter__(self):
        password = self.dir / "password"
        password.write_text(self.PASSWORD)
        password.chmod(0o644)
        self._run(str(self.bin / "initdb"), "-D", str(self.dir / "data"), "-U", "admin", "-A",
                  "scram-sha-256", f"--pwfile={password}", "--no-sync", "--locale=C", "-E", "UTF8")
        self.log = open(self.dir / "log", "wb")
        self.process = start(
            [str(self.bin / "postgres"), "-D", str(self.dir / "data"), "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.dir}",
             "-c", "fsync=off"],
            user=self.user, stdout=self.log, stderr=self.log, cwd=self.dir)
        end = time.monotonic() + LIMIT_S
        while not self.can_log_in("admin", self.PASSWORD):
            assert self.process.poll() is None and time.monotonic() < end, "no PostgreSQL"
            time.sleep(0.05)
        return self

    def __exit__(self, *exc):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(60)
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sql(self, text, user="admin", password=None):
        env = {**os.environ, "PGPASSWORD": password or self.PASSWORD, "PGCONNECT_TIMEOUT": "30"}
        return subprocess.run([str(self.bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", user, "-d", "postgres", "-Atc", text], env=env, timeout=LIMIT_S,
                              capture_output=True, text=True, check=True).stdout.strip()

    def can_log_in(self, user, password):
        try:
            return self.sql("select 1", user, password) == "1"
        except subprocess.CalledProcessError:
            return False

    def connect(self, bao, mount="database", roles="*"):
        """The engine of a bao on this server."""
        bao.mount(mount, "database")
        bao.put(f"{mount}/config/pg", {
            "plugin_name": "postgresql-database-plugin", "allowed_roles": roles,
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:"
                              f"{self.port}/postgres?sslmode=disable",
            "username": "admin", "password": self.PASSWORD})

    def role(self, bao, name, ttl, max_ttl="1h", mount="database"):
        bao.put(f"{mount}/roles/{name}", {
            "db_name": "pg", "default_ttl": ttl, "max_ttl": max_ttl,
            "creation_statements": ["CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' "
                                    "VALID UNTIL '{{expiration}}';"]})

    def static_role(self, bao, name, period, mount="database"):
        self.sql(f"drop role if exists {name}")
        self.sql(f"create role {name} with login password 'first'")
        bao.put(f"{mount}/static-roles/{name}", {"db_name": "pg", "username": name,
                                                 "rotation_period": period})
