# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes API server with a real etcd on loopback, and a client for it.

    with Kube(folder) as kube:
        kube.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        pod = kube.create("/api/v1/namespaces/shop/pods", pod)

Certificates, keys and ports are fresh for each start; both programs are stopped by their ids.
The programs come from build.sh beside this file. There is no scheduler and no kubelet: a stored pod is
what the API server has admitted, and nothing runs it.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import threading
import time

import bao as parts
import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_LIMIT_S = 120
STOP_LIMIT_S = 20
IDLE_S = 30  # the API server closes idle connections after 90


def programs(*names):
    """The folder with etcd and the programs of Kubernetes that are named."""
    done = subprocess.run(["sh", str(ROOT / "test/kube/build.sh"), *names], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(done.stdout.strip())


FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@contextlib.contextmanager
def an_hour_ago():
    """Certificates made meanwhile are as old as a cluster's: a clock that is behind takes them."""
    before = dict(os.environ)
    if FAKETIME:
        os.environ.update(LD_PRELOAD=str(FAKETIME), FAKETIME="-1h")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Answer:
    """What the API server said: status, document, warnings."""

    def __init__(self, status, document, headers):
        self.status, self.document = status, document
        self.warnings = [w.split(" ", 2)[2].strip('"') for w in headers.get_all("Warning") or []]

    @property
    def message(self):
        return self.document.get("message", "")


class Kube:
    # What a whole cluster has more of (test/e2e/cluster.py).
    PROGRAMS = ("kube-apiserver", "kube-controller-manager")
    NAMES = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
    PORT, FLAGS = None, ()  # a fixed port; flags of the API server, which win

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bin = programs(*self.PROGRAMS)
        with an_hour_ago():
            self.ca = parts.Authority(self.folder / "pki", "Kubernetes test CA")
            self.server_cert, self.server_key = self.ca.issue("apiserver", self.NAMES)
            # O=system:masters is what RBAC gives everything.
            self.admin_cert, self.admin_key = self.client("admin", "/O=system:masters/CN=admin")
        self.account_key = str(self.folder / "account.key")
        parts.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                  "-out", self.account_key)
        self._local = threading.local()  # a connection for each thread
        self.processes, self.port, self.etcd_port = [], None, None

    def client(self, name, subject):
        """(certificate, key) files of a client of the API server."""
        folder = self.folder / "pki"
        cert, key, csr = (str(folder / f"{name}.{x}") for x in ("pem", "key", "csr"))
        ext = folder / f"{name}.ext"
        ext.write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
        parts.run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-nodes", "-subj", subject, "-keyout", key, "-out", csr)
        parts.run("openssl", "x509", "-req", "-in", csr, "-CA", self.ca.cert, "-CAkey",
                  self.ca.key, "-CAcreateserial", "-days", "2", "-extfile", str(ext), "-out",
                  cert)
        return cert, key

    # --- life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _spawn(self, name, *args):
        log = open(self.folder / f"{name}.log", "ab")
        process = machine.start([self.bin / name, *args], stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL)
        log.close()
        self.processes.append((name, process))
        return process

    def start(self):
        self.etcd_port, peer, self.port = (machine.free_port() for _ in range(3))
        self.port = self.PORT or self.port
        etcd = f"http://127.0.0.1:{self.etcd_port}"
        self._spawn("etcd", "--data-dir", str(self.folder / "etcd"), "--listen-client-urls",
                    etcd, "--advertise-client-urls", etcd, "--listen-peer-urls",
                    f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
                    f"http://127.0.0.1:{peer}", "--initial-cluster",
                    f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync")
        self._serve()

    def _serve(self):
        etcd = f"http://127.0.0.1:{self.etcd_port}"
        self._spawn(
            "kube-apiserver", f"--etcd-servers={etcd}", "--bind-address=127.0.0.1",
            f"--secure-port={self.port}", "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none", f"--tls-cert-file={self.server_cert}",
            f"--tls-private-key-file={self.server_key}", f"--client-ca-file={self.ca.cert}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self.account_key}",
            f"--service-account-key-file={self.account_key}",
            "--api-audiences=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.96.0.0/24", "--event-ttl=10m",
            f"--cert-dir={self.folder / 'pki'}", "--watch-cache=false", "--profiling=false",
            *self.FLAGS)
        self.await_ready()

    def await_ready(self):
        end = time.monotonic() + START_LIMIT_S
        while True:
            for name, process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended: {self.log(name)[-2000:]}")
            try:
                if self.call("GET", "/readyz", raw=True) == b"ok":
                    return
            except OSError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"not ready: {self.log('kube-apiserver')[-3000:]}")
            time.sleep(0.1)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self):
        for _, process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM if process is self.processes[0][1]
                                    else signal.SIGKILL)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def config(self, name, cert, key):
        """A kubeconfig file for a client's certificate."""
        config = self.folder / f"{name}.json"
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {
                "server": f"https://127.0.0.1:{self.port}",
                "certificate-authority": self.ca.cert}}],
            "users": [{"name": "x", "user": {"client-certificate": cert, "client-key": key}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}))
        return config

    @contextlib.contextmanager
    def controllers(self, *names):
        """kube-controller-manager with only these controllers, as long as it is needed."""
        config = self.config("admin", self.admin_cert, self.admin_key)
        known = {"deployment": "deployment-controller", "replicaset": "replicaset-controller"}
        process = self._spawn(
            "kube-controller-manager", f"--kubeconfig={config}", "--leader-elect=false",
            "--secure-port=0", "--controllers=" + ",".join(known.get(n, n) for n in names))
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            self.processes.remove(("kube-controller-manager", process))

    @contextlib.contextmanager
    def away(self):
        """Without kube-apiserver, until the end; it comes back with all that it had."""
        name, process = next(p for p in self.processes if p[0] == "kube-apiserver")
        process.kill()
        process.wait()
        self.processes.remove((name, process))
        try:
            yield
        finally:
            self._serve()

    # --- client

    def context(self):
        """TLS as the administrator."""
        context = ssl.create_default_context(cafile=self.ca.cert)
        context.load_cert_chain(self.admin_cert, self.admin_key)
        return context

    def call(self, method, path, body=None, raw=False, content_type="application/json", user=None):
        """Any request as admin, or as a user with every right. Gives an Answer, also for refusals."""
        data = json.dumps(body).encode() if body is not None else None
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=self.context(), timeout=60)
        elif time.monotonic() - self._local.used > IDLE_S:
            connection.close()  # before the server does, which would cost a request
        self._local.used = time.monotonic()
        try:
            connection.request(method, path, data, {
                "Content-Type": content_type, **({"Impersonate-User": user,
                "Impersonate-Group": "system:masters"} if user else {})})
            reply = connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException) as e:
            connection.close()  # the next call dials again
            raise OSError(f"{method} {path}: {e}") from e
        if raw:
            return text
        return Answer(reply.status, json.loads(text) if text.startswith(b"{") else
                      {"message": text.decode(errors="replace")}, reply.headers)

    def get(self, path):
        """Once more, where the server has closed an idle connection meanwhile."""
        try:
            return self.call("GET", path)
        except OSError:
            return self.call("GET", path)

    def create(self, path, body):
        """The stored object; an error of the API server is one here."""
        answer = self.call("POST", path, body)
        if answer.status not in (200, 201):
            raise RuntimeError(f"POST {path}: {answer.status} {answer.message}")
        return answer.document

    def delete(self, path):
        return self.call("DELETE", path)

    def namespace(self, name, labels=None):
        """A namespace with the account that the controller manager would make."""
        body = {"metadata": {"name": name, "labels": labels or {}}}
        # Another file's tests may have left one of that name.
        if self.call("PUT", f"/api/v1/namespaces/{name}", body).status == 404:
            self.create("/api/v1/namespaces", body)
            self.create(f"/api/v1/namespaces/{name}/serviceaccounts",
                        {"metadata": {"name": "default"}})
        return name

    def account_token(self, namespace, name, pod=None):
        """A token as a kubelet asks for it, bound to the pod (its metadata) if there is one."""
        spec = {"expirationSeconds": 3600}
        if pod:
            spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod["name"],
                                      "uid": pod["uid"]}
        return self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
                           {"spec": spec})["status"]["token"]

    def create_pod(self, namespace, pod, dry_run=False):
        """The answer to a creation; pod.metadata may lack everything."""
        return self.call("POST", f"/api/v1/namespaces/{namespace}/pods"
                         + ("?dryRun=All" if dry_run else ""), pod)

    def register(self, name, client, **webhook):
        """A MutatingWebhookConfiguration of one webhook; client is its clientConfig."""
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        return self.create(path, {
            "metadata": {"name": name},
            "webhooks": [{
                "name": f"{name}.ampoule.dev", "clientConfig": client, "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
                "timeoutSeconds": 10,
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                           "resources": ["pods"], "scope": "Namespaced"}], **webhook}]})

    def unregister(self, name):
        return self.delete("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
                           + name)


def bundle(path):
    """A CA file as caBundle."""
    return base64.b64encode(pathlib.Path(path).read_bytes()).decode()
