# SPDX-License-Identifier: Apache-2.0
"""The ready-made templates: each is fed passwords that break hand-written quoting, and its
result is read by the format's own parser."""
import base64
import configparser
import ctypes
import ctypes.util
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

import dotenv
import javaproperties
import postgres
import pytest
import yaml
from machine import start
from store_run import wait_until

EXAMPLES = pathlib.Path(__file__).parents[1] / "cases" / "stock"
STOCK = pathlib.Path(__file__).parents[2] / "templates" / "stock"
PASSWORDS = [
    "plain", "", " lead and trail ", "it's", 'say "x"', "back\\slash", "a\\", "$HOME ${HOME} $(id) `id`",
    "#hash", "a # b", "a;b", "50%", "%(x)s", "%%", "a=b", "a:b", "a,b", "[x]", "{x}", "!bang", "&a*b",
    "- a", "? x", "yes", "null", "1.50", "0x10", "2001-01-01", "~", "@x", "|", ">", "äöü€", "😀", "\u200b",
    "tab\there", "a\u2028b", "a/b?c=d&e@f", "*", "<a>&</a>", "{{x}}", "<%= 1 %>", "a${b}c", "end\"'\\$#%`",
]
LINES = ["two\nlines", "ends\n", "\nstarts", "a\n\nb", "a\r\nb", "  in\n dented", "a\n#b", "a\n b\n"]
UNREADABLE = [p for p in PASSWORDS if p != p.strip()]


@pytest.fixture
def stock(tmp_path):
    def call(name, data, fails=False):
        (tmp_path / "d").write_text(json.dumps(data))
        got = subprocess.run([os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--stock", name,
                              "--data", str(tmp_path / "d")], capture_output=True, timeout=30)
        if fails:
            assert got.returncode == 1 and got.stdout == b"", got.stdout
            return got.stderr.decode()
        assert got.returncode == 0, got.stderr
        return got.stdout.decode()
    return call


@pytest.mark.parametrize("password", PASSWORDS + LINES)
class TestAnyValue:
    def test_json(self, stock, password):
        assert json.loads(stock("json", {"p": password})) == {"p": password}

    def test_yaml(self, stock, password):
        assert yaml.safe_load(stock("yaml", {"p": password, "q": "x"})) == {"p": password, "q": "x"}

    def test_env(self, stock, password, tmp_path):
        text = stock("env", {"p-w": password, "n": 7})
        (tmp_path / "env").write_bytes(text.encode())
        script = f'. {tmp_path}/env; printf %s "$p_w"; printf "|%s" "$n"'
        got = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
        assert got == password.encode() + b"|7"

    def test_dotenv(self, stock, password):
        text = stock("dotenv", {"p": password, "q": "x"})
        if "\r" in password:  # the reader turns CRLF into LF before it parses
            text = text.replace("\r\n", "\n")
            password = password.replace("\r\n", "\n")
        assert dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False) == {
            "p": password, "q": "x"}

    def test_properties(self, stock, password):
        text = stock("properties", {"a b:=#!": password, "q": "x"})
        assert text.isascii()
        assert javaproperties.loads(text) == {"a b:=#!": password, "q": "x"}

    def test_spring(self, stock, password):
        text = stock("spring", {"username": "u", "password": password, "url": "jdbc:x://h/d", "k": "v"})
        assert placeholders(javaproperties.loads(text)) == {
            "spring.datasource.username": "u", "spring.datasource.password": password,
            "spring.datasource.url": "jdbc:x://h/d", "k": "v"}

    def test_rails(self, stock, password):
        text = stock("rails", {"username": "u", "password": password, "host": "h", "port": 5432,
                               "dbname": "d"})
        assert yaml.safe_load(erb(text)) == {"production": {
            "adapter": "postgresql", "username": "u", "password": password, "host": "h",
            "port": 5432, "database": "d"}}

    def test_dockerconfigjson(self, stock, password):
        got = json.loads(stock("dockerconfigjson", {"registry": "r.example", "username": "u",
                                                    "password": password, "email": "e"}))
        entry = got["auths"]["r.example"]
        assert base64.b64decode(entry["auth"]).decode() == "u:" + password
        assert (entry["username"], entry["password"], entry["email"]) == ("u", password, "e")

    def test_kubeconfig(self, stock, password, tmp_path):
        text = stock("kubeconfig", {"server": "https://h:6443", "token": password, "ca_cert": "PEM\n",
                                    "namespace": "n"})
        got = yaml.safe_load(text)
        assert got["users"][0]["user"]["token"] == password
        cluster = got["clusters"][0]["cluster"]
        assert base64.b64decode(cluster["certificate-authority-data"]) == b"PEM\n"
        if shutil.which("kubectl") and password in ("plain", "two\nlines", "it's", "null"):
            (tmp_path / "k").write_text(text)
            shown = subprocess.run(["kubectl", "config", "view", "--raw", "-o", "json",
                                    "--kubeconfig", str(tmp_path / "k")], capture_output=True)
            assert json.loads(shown.stdout)["users"][0]["user"]["token"] == password

    def test_redis_acl_line(self, stock, password):
        user, name, on, secret, *rules = stock("redis-acl", {"username": "app", "password": password}).split()
        assert (user, name, on) == ("user", "app", "on") and rules == ["~*", "&*", "+@all"]
        assert secret == "#" + hashlib.sha256(password.encode()).hexdigest()

    def test_mysql_cnf(self, stock, password, tmp_path):
        text = stock("mysql-cnf", {"username": "u", "password": password, "host": "h", "port": 3306})
        assert read_mysql(text, tmp_path) == {"user": "u", "password": password, "host": "h",
                                              "port": "3306"}

    def test_ini(self, stock, password):
        data = {"p": password, "q": "x"}
        lines = password.split("\n")
        if any(x != x.strip() or (i and (not x or x[0] in "#;")) for i, x in enumerate(lines)):
            assert "INI cannot hold" in stock("ini", data, fails=True)
            return
        parser = configparser.ConfigParser()
        parser.read_string(stock("ini", data))
        assert dict(parser["default"]) == data

    def test_postgres_dsn(self, stock, password):
        text = stock("postgres-dsn", {"username": "u", "password": password, "host": "h",
                                      "port": 5432, "dbname": "d", "sslmode": "require"}).strip()
        if "\n" not in password and "\r" not in password:
            assert "\n" not in text
        got = conninfo(text)
        assert got.pop("password", "") == password
        assert got == {"user": "u", "host": "h", "port": "5432", "dbname": "d", "sslmode": "require"}


def placeholders(properties):
    """What Spring does with ${name:default}: once, from left to right."""
    return {k: re.sub(r"\$\{[\w.]+:([^}]*)\}", r"\1", v) for k, v in properties.items()}


def erb(text):
    """What ERB does with a text that has no tag: <%% is <%."""
    assert not re.search("<%(?!%)", text), text
    return text.replace("<%%", "<%")


def read_mysql(text, folder):
    """By the real reader of option files where there is one, else by its documented rules."""
    if shutil.which("my_print_defaults"):
        path = folder / "my.cnf"
        path.write_text(text)
        argv = ["my_print_defaults", f"--defaults-file={path}", "client"]
        out = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
        if "--password=*****" in out:  # MySQL's hides it, MariaDB's does not
            argv.insert(2, "--show")
            out = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
        return dict(x[2:].split("=", 1) for x in re.split(r"\n(?=--)", out.removesuffix("\n")))
    got = {}
    for line in text.rstrip("\n").split("\n")[1:]:
        key, value = line.split("=", 1)
        if value[:1] == '"':
            assert value[-1] == '"'
            names = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " "}
            value = re.sub(r"\\(.)", lambda m: names.get(m[1], m[1]), value[1:-1])
        got[key] = value
    return got


def conninfo(text):
    """libpq's own parser."""
    name = ctypes.util.find_library("pq")
    if not name:
        pytest.skip("no libpq")

    class Option(ctypes.Structure):
        _fields_ = [(n, ctypes.c_char_p) for n in
                    ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
                        ("dispsize", ctypes.c_int)]
    pq = ctypes.CDLL(name)
    pq.PQconninfoParse.restype = ctypes.POINTER(Option)
    error = ctypes.c_char_p()
    options = pq.PQconninfoParse(text.encode(), ctypes.byref(error))
    assert options, error.value
    got, i = {}, 0
    while options[i].keyword:
        if options[i].val is not None:
            got[options[i].keyword.decode()] = options[i].val.decode()
        i += 1
    return got


@pytest.mark.skipif(not postgres.binaries(), reason="no PostgreSQL on this machine")
def test_pgpass_logs_in(stock, tmp_path):
    with postgres.Postgres() as server:
        for i, password in enumerate(p for p in PASSWORDS if p):
            user = f"app{i}"
            literal = password.replace("'", "''")
            server.sql(f"set standard_conforming_strings = on; "
                       f"create role {user} with login password '{literal}'")
            path = tmp_path / "pgpass"
            path.write_text(stock("pgpass", {"host": "127.0.0.1", "port": server.port,
                                             "dbname": "postgres", "username": user,
                                             "password": password}))
            path.chmod(0o600)
            env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
            got = subprocess.run([str(server.bin / "psql"), "-h", "127.0.0.1", "-p", str(server.port),
                                  "-U", user, "-d", "postgres", "-wAtc", "select 1"],
                                 env={**env, "PGPASSFILE": str(path)}, capture_output=True, text=True)
            assert got.stdout.strip() == "1", (password, got.stderr)


def test_pgpass_fields(stock):
    assert stock("pgpass", {"username": "u", "password": "a:b\\c"}) == "*:*:*:u:a\\:b\\\\c\n"
    for password in LINES:
        assert "line break" in stock("pgpass", {"username": "u", "password": password}, fails=True)


def test_aws_credentials(stock):
    data = {"access_key": "AKIA1", "secret_key": "a/b+c=%#;\"'", "security_token": "t==", "profile": "p"}
    parser = configparser.RawConfigParser(default_section=None)  # as botocore reads it
    parser.read_string(stock("aws-credentials", data))
    assert dict(parser["p"]) == {"aws_access_key_id": "AKIA1", "aws_secret_access_key": "a/b+c=%#;\"'",
                                 "aws_session_token": "t=="}
    stock("aws-credentials", {"access_key": "A", "secret_key": "a\nb"}, fails=True)


@pytest.mark.parametrize("name", ["nginx-tls", "pem-bundle"])
def test_certificates(stock, name, authority, tmp_path):
    cert, key = authority.issue(f"stock-{name}", "DNS:localhost")
    with open(cert) as c, open(key) as k, open(authority.cert) as ca:
        data = {"certificate": c.read(), "private_key": k.read(), "ca_chain": [ca.read()]}
    path = tmp_path / "bundle.pem"
    path.write_text(stock(name, data))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    assert path.read_text().count("BEGIN CERTIFICATE") == 2


def redis_says(sock, *words):
    words = [w if isinstance(w, bytes) else w.encode() for w in words]
    sock.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    return sock.makefile("rb").readline().decode().strip()


def accepts(path):
    """A server's socket is there a moment before anybody listens at it."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


@pytest.mark.skipif(not shutil.which("redis-check-rdb"), reason="no Redis on this machine")
def test_redis_logs_in(stock, tmp_path, session_folder):
    """The file of users is read by the server itself; each logs in with its password."""
    users = {f"app{i}": p for i, p in enumerate(PASSWORDS + LINES) if p}
    (tmp_path / "users.acl").write_text("".join(
        stock("redis-acl", {"username": u, "password": p, "rules": "+ping"}) for u, p in users.items()))
    path = session_folder / "redis.sock"
    (tmp_path / "redis-server").symlink_to(shutil.which("redis-check-rdb"))
    server = start(
        [tmp_path / "redis-server", "--port", "0", "--unixsocket", str(path), "--aclfile", str(tmp_path / "users.acl"),
         "--save", "", "--dir", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: accepts(path) or server.poll() is not None)
        assert server.poll() is None, server.stdout.read().decode()
        for user, password in users.items():
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(30)
                s.connect(str(path))
                assert redis_says(s, "AUTH", user, password + "x").startswith("-WRONGPASS")
                assert redis_says(s, "AUTH", user, password) == "+OK", password
                assert redis_says(s, "PING") == "+PONG"
                assert redis_says(s, "KEYS", "*").startswith("-NOPERM")
    finally:
        server.kill()
        server.communicate()


def test_postgres_dsn_hosts(stock):
    for host in ("::1", "/run/postgresql", "db.example"):
        got = conninfo(stock("postgres-dsn", {"username": "u", "password": "p", "host": host}).strip())
        assert (got["host"], got["user"], got["password"]) == (host, "u", "p")
    assert conninfo(stock("postgres-dsn", {"username": "u", "password": "p"}).strip())["host"] == "localhost"


@pytest.mark.parametrize("name", sorted(x.stem for x in STOCK.glob("*.tmpl")))
def test_example(name):
    """Each ready-made template has an example: NAME.json and what it gives."""
    got = subprocess.run(
        [os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--stock", name, "--data",
         str(EXAMPLES / f"{name}.json"), "--expect", str(EXAMPLES / f"{name}.out")],
        capture_output=True, text=True, timeout=30)
    assert got.returncode == 0, got.stdout + got.stderr


def test_names_are_listed(stock):
    got = subprocess.run([os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--stock", "nope"],
                         capture_output=True, text=True)
    names = got.stderr.split("there are: ")[1].strip().split(", ")
    assert set(names) == {x.stem for x in STOCK.glob("*.tmpl")}
    assert {"env", "dotenv", "json", "yaml", "properties", "ini", "postgres-dsn", "mysql-cnf", "pgpass",
            "redis-acl", "nginx-tls", "pem-bundle", "aws-credentials", "dockerconfigjson", "kubeconfig",
            "spring", "rails"} <= set(names)
