# SPDX-License-Identifier: Apache-2.0
"""Certificates that the webhook makes itself: several replicas, a real kube-apiserver that
checks them, and the rights of manifests/base/rbac.yaml. Every test renews within seconds what
in life is renewed after months; `settle` is a second, since there is one API server."""
import base64
import contextlib
import itertools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

import kube as kubernetes
import machine
import manifests
import other_webhook
from agent_run import BIN, Lines, prog, wait_until
from machine import LIMIT_S
from test_webhook import pod

SYSTEM = manifests.SYSTEM
SECRET = f"/api/v1/namespaces/{SYSTEM}/secrets/ampoule-webhook-tls"
LOAD_S = float(os.environ.get("AMPOULE_CERTS_LOAD_S", "24"))
STEP_S = 60
STATIC = pathlib.Path(BIN).name == "static"  # where faketime finds no function of a dynamic libc
OTHER_CLOCK = pytest.mark.skipif(not STATIC and not kubernetes.FAKETIME, reason="no faketime")


class Replica:
    """ampoule-webhook with the service account of the manifests; its clock is `clock` minutes
    ahead."""

    numbers = itertools.count()

    def __init__(self, kube, folder, renew_after="1h", lifetime="2h", clock=None):
        self.name = f"replica{next(self.numbers)}"
        token = folder / f"{self.name}.token"
        token.write_text(kube.account_token(SYSTEM, "ampoule-webhook"))
        config = folder / f"{self.name}.hcl"
        config.write_text(f"""
listen = "127.0.0.1:0"
annotations {{ service = "https://bao.example:8200" }}
kubernetes {{
  server = "https://127.0.0.1:{kube.port}"
  ca_file = "{kube.ca.cert}"
  token_file = "{token}"
  namespace = "{SYSTEM}"
}}
self_signed {{
  lifetime = "{lifetime}"
  renew_after = "{renew_after}"
  settle = "1s"
}}
""")
        env, program = dict(os.environ), f"{BIN}/ampoule-webhook"
        if clock and STATIC:
            program = prog("webhook_skewed")
            env.update(WALL_CLOCK_OFF=str(clock * 60))
        elif clock:
            env.update(LD_PRELOAD=str(kubernetes.FAKETIME), FAKETIME=f"{clock:+}m",
                       FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.process = machine.start(
            [program, "--config", str(config), "--log-format", "json"],
            stderr=subprocess.PIPE, text=True, env=env)
        self.lines = Lines(self.process.stderr)
        self.port = json.loads(self.lines.wait(lambda x: '"serving"' in x))["port"]

    def wait(self, message, limit=STEP_S):
        return json.loads(self.lines.wait(lambda x: f'"{message}"' in x, limit))

    def count(self, message):
        return sum(f'"{message}"' in x for x in self.lines.all())

    def get(self, path):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{self.port}{path}", timeout=LIMIT_S,
                                        context=context) as reply:
                return reply.read().decode().strip()
        except urllib.error.HTTPError as e:
            return e.read().decode().strip()

    def ready(self):
        try:
            wait_until(f"{self.name} is ready", lambda: self.get("/readyz") == "ok", STEP_S)
        except AssertionError as e:
            said = "\n".join(self.lines.all()[-20:])
            raise AssertionError(f"{e}: {self.get('/readyz')}\n{said}") from None
        return self

    def served(self):
        """The serial of the leaf in a fresh handshake."""
        done = subprocess.run(
            ["openssl", "x509", "-noout", "-serial"], capture_output=True, text=True,
            input=ssl.get_server_certificate(("127.0.0.1", self.port), timeout=LIMIT_S))
        return done.stdout.strip().lower().replace("serial=", "")

    def close(self):
        self.process.kill()
        self.process.wait()


class Balancer(other_webhook.Relay):
    """Each new connection goes to the next replica, as with a Service."""

    def __init__(self):
        self.targets = itertools.cycle([0])
        super().__init__()

    def use(self, *replicas):
        self.targets = itertools.cycle([r.port for r in replicas])

    @property
    def target(self):
        return next(self.targets)

    @target.setter
    def target(self, _):
        pass


@pytest.fixture(scope="module")
def service(kube):
    """The manifests as they are, with the Service on loopback."""
    relay = Balancer()
    manifests.install(kube, relay.port)
    kube.namespace("certs")
    yield relay
    manifests.uninstall(kube)
    relay.close()


@pytest.fixture
def replicas(kube, service, tmp_path):
    """start(**options) gives a replica; all of them end with the test, and the Secret goes."""
    running = []

    def start(**options):
        running.append(Replica(kube, tmp_path, **options))
        return running[-1]
    yield start
    for one in running:
        one.close()
    kube.delete(SECRET)
    for path in manifests.registrations(kube):
        document = kube.get(path).document
        for webhook in document["webhooks"]:
            webhook["clientConfig"].pop("caBundle", None)
        assert kube.call("PUT", path, document).status == 200


def asks(kube):
    return kube.create_pod("certs", pod(), dry_run=True)


def admits(kube):
    answer = asks(kube)
    admits.last = answer.message
    return answer.status == 201 and "initContainers" in answer.document["spec"]


def await_admission(kube):
    """A new registration takes some moments."""
    try:
        wait_until("admission", lambda: admits(kube), STEP_S)
    except AssertionError as e:
        raise AssertionError(f"{e}: {admits.last}") from None


def bundles(kube):
    """The CAs of every webhook of both registrations."""
    found = []
    for path in manifests.registrations(kube):
        for webhook in kube.get(path).document["webhooks"]:
            text = base64.b64decode(webhook["clientConfig"].get("caBundle", "")).decode()
            found.append(frozenset(x for x in text.split("-----BEGIN CERTIFICATE-----") if x))
    return found


class Load:
    """Creates pods without a pause until it is ended; what failed is kept."""

    def __init__(self, kube, workers=2):
        self.kube, self.failed, self.done, self.ending = kube, [], 0, False
        self.workers = [threading.Thread(target=self.run) for _ in range(workers)]
        for worker in self.workers:
            worker.start()

    def run(self):
        while not self.ending:
            answer = asks(self.kube)
            self.done += 1
            if answer.status != 201 or "initContainers" not in answer.document["spec"]:
                self.failed.append(answer.message[:400])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending = True
        for worker in self.workers:
            worker.join()


def test_first_start_of_two(kube, service, replicas):
    """Both begin at once: one certificate, trusted by both registrations, served by both."""
    one, other = replicas(), replicas()
    for replica in (one, other):
        replica.ready()
    service.use(one, other)
    assert one.served() == other.served()
    assert one.count("certificate made") + other.count("certificate made") <= 2
    assert len(set(bundles(kube))) == 1 and len(bundles(kube)[0]) == 1
    await_admission(kube)
    metrics = one.get("/metrics")
    end = next(float(x.split()[1]) for x in metrics.splitlines()
               if x.startswith("ampoule_webhook_certificate_not_after_seconds "))
    assert 7000 < end - time.time() <= 7200
    # Keys: that of the leaf, and none of a CA.
    data = kube.get(SECRET).document["data"]
    assert sorted(data) == ["ca.crt", "tls.crt", "tls.key"]
    assert "PRIVATE" not in base64.b64decode(data["ca.crt"]).decode()


def serving(kube, service, *both):
    """Waits until they serve; how often each has taken a certificate by then."""
    for replica in both:
        replica.ready()
    service.use(*both)
    await_admission(kube)
    return [r.count("certificate taken") for r in both]


def test_renewal_under_load(kube, service, replicas):
    """Renewed every three seconds while pods are created: none fails. CAs of old do not pile
    up without end."""
    one = replicas(renew_after="3s", lifetime="20m")
    other = replicas(renew_after="3s", lifetime="20m")
    taken = serving(kube, service, one, other)
    with Load(kube) as load:
        end = time.monotonic() + LOAD_S
        while time.monotonic() < end and not load.failed:
            time.sleep(0.2)
    assert not load.failed, load.failed[:3]
    assert load.done > 20
    for replica, before in zip((one, other), taken):
        assert replica.count("certificate taken") - before >= LOAD_S // 10
    assert all(len(b) <= 8 for b in bundles(kube))


def test_a_replica_that_is_killed_at_renewal(kube, service, replicas):
    """It has written the Secret and not yet caBundle: the other one goes on."""
    maker = replicas(renew_after="4s", lifetime="20m").ready()
    other = replicas().ready()
    service.use(other)
    await_admission(kube)
    with Load(kube) as load:
        maker.wait("certificate made")
        maker.process.send_signal(signal.SIGKILL)
        other.wait("certificate taken")
        back = replicas().ready()
        service.use(back, other)
        wait_until("they agree", lambda: back.served() == other.served(), STEP_S)
        assert admits(kube)
    assert not load.failed, load.failed[:3]


def test_a_deleted_secret_is_a_renewal(kube, service, replicas):
    one, other = replicas().ready(), replicas().ready()
    service.use(one, other)
    await_admission(kube)
    before = one.served()
    with Load(kube) as load:
        kube.delete(SECRET)
        for replica in (one, other):
            wait_until("another is served", lambda r=replica: r.served() != before, STEP_S)
        wait_until("they agree", lambda: one.served() == other.served(), STEP_S)
    assert not load.failed, load.failed[:3]
    assert kube.get(SECRET).status == 200


def test_a_spoilt_secret_is_made_anew(kube, service, replicas):
    one = replicas().ready()
    service.use(one)
    await_admission(kube)
    before = one.served()
    with Load(kube) as load:
        kube.call("PATCH", SECRET, {"data": {"tls.key": "bm8ga2V5"}},
                  content_type="application/merge-patch+json")
        wait_until("another is served", lambda: one.served() != before, STEP_S)
    assert not load.failed, load.failed[:3]


def test_a_lost_bundle_is_put_back(kube, service, replicas):
    """Somebody replaces the registration by the file."""
    one = replicas().ready()
    service.use(one)
    await_admission(kube)
    path = manifests.registrations(kube)[0]
    document = kube.get(path).document
    for webhook in document["webhooks"]:
        webhook["clientConfig"]["caBundle"] = ""
    assert kube.call("PUT", path, document).status == 200
    wait_until("caBundle is back", lambda: all(bundles(kube)), STEP_S)
    await_admission(kube)


def test_no_api_server_and_no_change(kube, service, replicas):
    one = replicas().ready()
    before = one.served()
    with kube.away():
        one.wait("not followed")
        assert one.served() == before and one.get("/readyz") == "ok"
    kube.await_ready()
    service.use(one)
    await_admission(kube)


@OTHER_CLOCK
def test_clocks_five_minutes_apart(kube, service, replicas):
    ahead = replicas(renew_after="3s", lifetime="20m", clock=5)
    behind = replicas(renew_after="3s", lifetime="20m", clock=-5)
    taken = serving(kube, service, ahead, behind)
    with Load(kube) as load:
        for replica, before in zip((ahead, behind), taken):
            wait_until("renewed twice", lambda r=replica, b=before:
                       r.count("certificate taken") >= b + 2, STEP_S)
    assert not load.failed, load.failed[:3]


@OTHER_CLOCK
def test_a_clock_an_hour_ahead_takes_nobody_with_it(kube, service, replicas):
    good = replicas(renew_after="10m", lifetime="20m").ready()
    before = good.served()
    ahead = replicas(renew_after="10m", lifetime="20m", clock=60)
    assert "clock" in ahead.wait("no certificates are written")["error"]
    wait_until("it says why", lambda: "clock" in ahead.get("/readyz"), STEP_S)
    assert good.get("/readyz") == "ok" and good.served() == before


def test_no_other_secret(kube, service):
    """The service account's own token, tried by hand."""
    token = kube.account_token(SYSTEM, "ampoule-webhook")
    context = ssl.create_default_context(cafile=kube.ca.cert)

    def status(method, path, body=None, kind="application/json"):
        request = urllib.request.Request(
            f"https://127.0.0.1:{kube.port}{path}", json.dumps(body).encode() if body else None,
            {"Authorization": f"Bearer {token}", "Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, context=context, timeout=LIMIT_S) as reply:
                return reply.status
        except urllib.error.HTTPError as e:
            return e.code
    secrets = f"/api/v1/namespaces/{SYSTEM}/secrets"
    shell = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}}
    assert status("GET", secrets) == 403
    assert status("GET", "/api/v1/secrets") == 403
    assert status("GET", f"{secrets}/other") == 403
    assert status("POST", secrets, shell) == 403
    assert status("PATCH", f"{secrets}/other?fieldManager=x", shell,
                  "application/apply-patch+yaml") == 403
    assert status("GET", "/api/v1/namespaces/certs/secrets/ampoule-webhook-tls") == 403
    path = manifests.registrations(kube)[0]
    assert status("GET", path) == 200
    assert status("GET", path.rpartition("/")[0]) == 403
    assert status("DELETE", path) == 403
    assert status("PATCH", path.replace("/ampoule-webhook", "/another"),
                  {"metadata": {}}, "application/merge-patch+json") == 403


def test_nothing_wanted_and_nothing_opened(kube, tmp_path, authority):
    """Without self_signed and namespace_defaults the webhook has no client at all: it opens
    no connection, reads no token, wherever the API server may be."""
    listener = socket.create_server(("127.0.0.1", 0))
    cert, key = authority.issue("plain", "IP:127.0.0.1")
    config = tmp_path / "plain.hcl"
    config.write_text(f'listen = "127.0.0.1:0"\ntls_cert_file = "{cert}"\ntls_key_file = "{key}"\n'
                      f'kubernetes {{ server = "https://127.0.0.1:'
                      f'{listener.getsockname()[1]}" }}\n')
    trace = tmp_path / "trace"
    process = machine.start(
        ["strace", "-f", "-e", "trace=connect,socket,openat", "-o", str(trace),
         f"{BIN}/ampoule-webhook", "--config", str(config), "--log-format", "json"],
        stderr=subprocess.PIPE, text=True)
    try:
        lines = Lines(process.stderr)
        port = json.loads(lines.wait(lambda x: '"serving"' in x))["port"]
        context = ssl.create_default_context(cafile=authority.cert)
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                  "request": {"uid": "u", "kind": {"kind": "Pod"}, "namespace": "x",
                              "operation": "CREATE", "object": pod()}}
        request = urllib.request.Request(f"https://127.0.0.1:{port}/mutate",
                                         json.dumps(review).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=context, timeout=LIMIT_S) as reply:
            assert json.load(reply)["response"]["uid"] == "u"
        listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            listener.accept()
    finally:
        child = int(subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True,
                                   text=True).stdout or 0)
        if child:
            os.kill(child, signal.SIGTERM)
        process.wait(LIMIT_S)
        listener.close()
    seen = trace.read_text()
    assert "connect(" not in seen and "serviceaccount" not in seen
    assert seen.count("socket(AF_INET") == 1  # the listener
