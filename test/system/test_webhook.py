# SPDX-License-Identifier: Apache-2.0
"""ampoule-webhook over HTTPS: what clients, probes and operators see. What becomes of a pod is
in test/cases/admission, a real API server in test/kube."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading

import pytest

import machine
from agent_run import BIN, Lines, wait_until
from machine import LIMIT_S
from webhook_run import PROGRAM, Webhook

SETTINGS = 'annotations { service = "https://bao.example:8200" }\n'
ANNOTATIONS = {"ampoule.dev/inject": "true", "ampoule.dev/role": "web",
               "ampoule.dev/secret-db": "kv/data/db#password"}


@pytest.fixture
def webhook(tmp_path, authority):
    with Webhook(tmp_path, authority, SETTINGS) as server:
        yield server


def review(annotations=None, uid="u-1", version="v1", **request):
    pod = {"metadata": {"name": "web",
                        "annotations": ANNOTATIONS if annotations is None else annotations},
           "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    return {"apiVersion": f"admission.k8s.io/{version}", "kind": "AdmissionReview",
            "request": {"uid": uid, "kind": {"kind": "Pod"}, "namespace": "shop",
                        "operation": "CREATE", "object": pod, **request}}


def post(webhook, body, **kw):
    status, text = webhook.ask("/mutate", body if isinstance(body, bytes)
                               else json.dumps(body).encode(), **kw)
    return status, json.loads(text) if text.startswith("{") else text


def patch_of(answer):
    return json.loads(base64.b64decode(answer["response"]["patch"]))


def client(webhook):
    context = ssl.create_default_context(cafile=webhook.authority.cert)
    return http.client.HTTPSConnection("127.0.0.1", webhook.port, context=context,
                                       timeout=LIMIT_S)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_review_is_answered_in_its_version(webhook, version):
    status, answer = post(webhook, review(version=version, uid="abc"))
    assert status == 200
    assert answer["apiVersion"] == f"admission.k8s.io/{version}"
    assert answer["kind"] == "AdmissionReview"
    assert answer["response"]["uid"] == "abc" and answer["response"]["allowed"] is True
    assert answer["response"]["patchType"] == "JSONPatch"
    assert {op["op"] for op in patch_of(answer)} == {"add"}


@pytest.mark.parametrize("content_type,status", [
    ("application/json", 200), ("application/json; charset=utf-8", 200),
    ("Application/JSON", 200), ("application/json-patch+json", 415), ("text/plain", 415)])
def test_media_types(webhook, content_type, status):
    assert post(webhook, review(), content_type=content_type)[0] == status


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"request":null}',
                                  b'{"kind":"Pod"}', b'{"request":{"uid":""}}',
                                  b'{"apiVersion":"admission.k8s.io/v9","request":{"uid":"u"}}',
                                  b'{"request":{"uid":"u","object":[]}}', b"\xff\xfe"])
def test_strange_reviews_get_a_status_and_a_reason(webhook, body):
    status, text = post(webhook, body)
    assert status == 400 and len(text.strip()) > 10
    assert post(webhook, review())[0] == 200  # the server goes on


def test_body_above_the_cap_is_refused(webhook):
    connection = client(webhook)
    connection.putrequest("POST", "/mutate")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str((8 << 20) + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    assert webhook.ask("/mutate", method="GET")[0] == 405
    assert webhook.ask("/elsewhere")[0] == 404


def test_a_pod_of_three_megabytes_is_served(webhook):
    big = dict(ANNOTATIONS, **{f"example.org/x{i}": "y" * 1000 for i in range(3000)})
    status, answer = post(webhook, review(big))
    assert status == 200 and answer["response"]["allowed"]


def test_thousands_of_annotations_hold_nobody_up(webhook):
    many = dict(ANNOTATIONS, **{f"ampoule.dev/secret-{i}": "kv/x" for i in range(9000)})
    answer = post(webhook, review(many))[1]["response"]
    assert not answer["allowed"] and "1000" in answer["status"]["message"]
    typos = dict(ANNOTATIONS, **{f"ampoule.dev/secrte-{i:05d}{'x' * 20}": "a"
                                 for i in range(6000)})
    answer = post(webhook, review(typos))[1]["response"]
    assert answer["allowed"] and 10 < len(answer["warnings"]) < 50
    count = float(webhook.ask("/metrics")[1].split("review_seconds_sum ")[1].split()[0])
    assert count < 5


def test_tiny_values_do_not_fill_the_memory(webhook):
    """3 bytes of text are 250 of memory: a pod's author must not end the webhook's process."""
    body = review()
    body["request"]["object"]["spec"]["containers"][0]["env"] = [{}] * 400000
    most = json.loads(json.dumps(body))
    most["request"]["object"]["spec"]["containers"][0]["env"] = [{}] * 99000
    assert post(webhook, most)[0] == 200
    whole = json.dumps(body, separators=(",", ":")).encode()
    assert len(whole) < 3 << 20
    for _ in range(3):
        status, text = post(webhook, whole)
        assert status == 400 and "too many values" in text
    peak = next(line for line in pathlib.Path(f"/proc/{webhook.process.pid}/status").read_text()
                .splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 48 << 10  # KiB; the manifests' limit is 64 MiB


def test_large_bodies_that_do_not_come_cost_no_good_request(webhook):
    context = ssl.create_default_context(cafile=webhook.authority.cert)
    slow = []
    for _ in range(6):
        s = socket.create_connection(("127.0.0.1", webhook.port), LIMIT_S)
        s = context.wrap_socket(s, server_hostname="127.0.0.1")
        s.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 8388608\r\n\r\n")
        slow.append(s)
    for s in slow:
        with contextlib.suppress(OSError):  # some have to go
            s.sendall(b" " * 8388600)
    big = dict(ANNOTATIONS, **{f"example.org/x{i}": "y" * 1000 for i in range(100)})
    for _ in range(10):
        assert post(webhook, review(big))[0] == 200
    for s in slow:
        s.close()


@pytest.mark.parametrize("containers,folders,words", [
    (1000, 1, "more than 250 containers"), (1500, 1, "1000 elements"),
    (200, 200, "1000 mounts"), (250, 4, None)])
def test_containers_and_folders_have_a_limit(webhook, containers, folders, words):
    asks = dict(ANNOTATIONS, **{f"ampoule.dev/secret-s{i}": "kv/x" for i in range(folders)},
                **{f"ampoule.dev/secret-volume-path-s{i}": f"/f{i}" for i in range(1, folders)})
    body = review(asks)
    body["request"]["object"]["spec"]["containers"] = [
        {"name": f"c{i}", "image": "x", "volumeMounts": [
            {"name": "vault-secrets", "mountPath": f"/m{k}"}
            for k in range(100 if containers <= 250 else 10)]}
        for i in range(containers)]
    answer = post(webhook, body)[1]["response"]
    assert answer["allowed"] == (words is None)
    assert words is None or words in answer["status"]["message"]
    count = float(webhook.ask("/metrics")[1].split("review_seconds_sum ")[1].split()[0])
    assert count < 5


def test_a_configuration_that_no_pod_can_hold_is_refused(webhook):
    long = dict(ANNOTATIONS, **{"ampoule.dev/template-x": "x" * 140_000})
    answer = post(webhook, review(long))[1]["response"]
    assert not answer["allowed"] and "template-file-<n>" in answer["status"]["message"]
    long["ampoule.dev/template-x"] = "x" * 100_000  # half of what all annotations may have
    answer = post(webhook, review(long))[1]
    assert answer["response"]["allowed"]
    added = {op["path"]: op["value"] for op in patch_of(answer)}
    assert "x" * 100_000 in added["/metadata/annotations/ampoule.dev~1config"]


def test_a_refusal_names_annotation_and_remedy(webhook):
    bad = dict(ANNOTATIONS, **{"ampoule.dev/file-db": "../db"})
    status, answer = post(webhook, review(bad))
    assert status == 200 and answer["response"]["allowed"] is False
    message = answer["response"]["status"]["message"]
    assert "ampoule.dev/file-db" in message and "below" in message


def test_probes_and_metrics(webhook):
    assert webhook.ask("/healthz")[0] == 200
    assert webhook.ask("/readyz")[0] == 200
    post(webhook, review())
    post(webhook, review({}))
    post(webhook, review(dict(ANNOTATIONS, **{"ampoule.dev/mode": "x"})))
    post(webhook, b"{")
    text = webhook.ask("/metrics")[1]
    for line in ('reviews_total{result="injected"} 1', 'reviews_total{result="passed"} 1',
                 'reviews_total{result="refused"} 1', 'reviews_total{result="bad"} 1',
                 'review_seconds_count 4', 'review_seconds_bucket{le="+Inf"} 4'):
        assert f"ampoule_webhook_{line}\n" in text, line
    assert "certificate_not_after_seconds 1" in text and "webhook_ready 1" in text
    assert "# TYPE ampoule_webhook_ready gauge" in text
    assert "# TYPE ampoule_webhook_reloads_total counter" in text


def test_metrics_on_a_port_of_their_own(tmp_path, authority):
    socket_path = tmp_path / "metrics.sock"
    with Webhook(tmp_path / "w", authority, SETTINGS +
                 f'metrics_listen = "unix://{socket_path}"\n') as server:
        assert server.ask("/metrics")[0] == 404
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(socket_path))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"ampoule_webhook_reviews_total" in s.makefile("rb").read()


def test_new_settings_are_taken_and_faulty_ones_refused(webhook):
    def image():
        for op in patch_of(post(webhook, review())[1]):
            if op["path"].startswith("/spec/initContainers"):
                value = op["value"]
                return (value[0] if isinstance(value, list) else value)["image"]

    webhook.configure(SETTINGS + 'image = "one:1"\n')
    wait_until("the new image", lambda: image() == "one:1")
    webhook.configure(SETTINGS + 'imag = "two:1"\n')
    line = webhook.lines.wait(lambda line: "not reloaded" in line)
    assert "image" in json.loads(line)["error"]  # the nearest name
    assert image() == "one:1"
    assert "config_current 0" in webhook.ask("/metrics")[1]
    webhook.configure(SETTINGS + 'image = "three:1"\n')
    wait_until("the third image", lambda: image() == "three:1")
    text = webhook.ask("/metrics")[1]
    assert "failed_reloads_total 1" in text and "config_current 1" in text


def test_a_store_that_the_agent_lacks_is_a_warning(webhook):
    webhook.configure(SETTINGS + 'store "cloud" { type = "aws"  region = "eu-central-1" }\n')
    line = json.loads(webhook.lines.wait(lambda line: "no stores of this type" in line))
    assert (line["level"], line["store"], line["type"]) == ("warn", "cloud", "aws")
    asks = dict(ANNOTATIONS, **{"ampoule.dev/stores": "cloud"})
    for _ in range(2):  # a text that is known already is no exception
        answer = post(webhook, review(asks))[1]["response"]
        assert answer["allowed"] and any("'cloud'" in w and "'aws'" in w for w in answer["warnings"])


def served_certificate(webhook):
    context = ssl.create_default_context(cafile=webhook.authority.cert)
    with socket.create_connection(("127.0.0.1", webhook.port), LIMIT_S) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            return tls.getpeercert(True)


def test_a_new_certificate_drops_no_connection(webhook, authority):
    kept = client(webhook)
    body, header = json.dumps(review()), {"Content-Type": "application/json"}
    kept.request("POST", "/mutate", body, header)
    assert kept.getresponse().read()
    old, connection = served_certificate(webhook), kept.sock
    cert, key = authority.issue("second", "IP:127.0.0.1,DNS:localhost")
    os.rename(key, webhook.key)
    os.rename(cert, webhook.cert)
    wait_until("the new certificate", lambda: served_certificate(webhook) != old)
    kept.request("POST", "/mutate", body, header)
    assert kept.getresponse().status == 200 and kept.sock is connection


def test_settings_may_name_another_certificate(webhook, authority):
    def changed(old):
        wait_until("another certificate", lambda: served_certificate(webhook) != old)
        return served_certificate(webhook)

    old_files = webhook.cert, webhook.key
    first = served_certificate(webhook)
    webhook.cert, webhook.key = authority.issue("elsewhere", "IP:127.0.0.1,DNS:localhost")
    webhook.configure(SETTINGS)
    second = changed(first)
    cert, key = authority.issue("third", "IP:127.0.0.1,DNS:localhost")
    os.rename(key, webhook.key)  # the new files are watched
    os.rename(cert, webhook.cert)
    changed(second)
    third = served_certificate(webhook)
    webhook.cert, webhook.key = "/nowhere.pem", "/nowhere.key"
    webhook.configure(SETTINGS + 'image = "no:1"\n')  # refused as a whole
    webhook.lines.wait(lambda line: "not reloaded" in line)
    assert served_certificate(webhook) == third
    assert "no:1" not in json.dumps(patch_of(post(webhook, review())[1]))
    webhook.cert, webhook.key = old_files


def test_a_certificate_and_policies_are_taken_over_together(webhook, authority):
    old = served_certificate(webhook)
    webhook.cert, webhook.key = authority.issue("elsewhere", "IP:127.0.0.1,DNS:localhost")
    webhook.configure(SETTINGS + 'policies = "/"\n')  # which cannot be watched
    webhook.lines.wait(lambda line: "not reloaded" in line)
    assert served_certificate(webhook) == old


def test_what_counts_after_a_restart_only_is_said(webhook):
    begun = webhook.listen
    webhook.listen = 'listen = "127.0.0.1:1"\n'
    webhook.configure(SETTINGS + 'metrics_listen = "127.0.0.1:1"\nnamespace_defaults = true\n'
                      'kubernetes {\n  server = "https://127.0.0.1:1"\n}\n')
    for key in ("listen", "metrics_listen", "namespace_defaults", "server"):
        webhook.lines.wait(lambda line, k=key: "restart" in line and f'"{k}"' in line)
    webhook.lines.wait(lambda line: '"reloaded"' in line)
    webhook.listen = begun  # as it was at the start
    webhook.configure(SETTINGS)
    webhook.lines.wait(lambda line: '"reloaded"' in line)
    assert sum("restart" in line for line in webhook.lines.all()) == 4


def test_tls_is_on_or_off_from_the_start(webhook):
    webhook.file.write_text(webhook.listen)
    line = webhook.lines.wait(lambda line: "not reloaded" in line)
    assert "tls_cert_file" in line and "restart" in line
    webhook.file.write_text(webhook.listen + f'tls_cert_file = "{webhook.cert}"\n')
    assert "tls_key_file" in webhook.lines.wait(lambda line: "not reloaded" in line)


def test_settings_may_name_other_policies(webhook, tmp_path):
    def refused():
        return not post(webhook, review())[1]["response"]["allowed"]

    first, second = tmp_path / "first.hcl", tmp_path / "second.hcl"
    deny = 'policy "p" {\n  deny { images = ["**"] }\n}\n'
    first.write_text('policy "p" {\n  deny { images = ["no/**"] }\n}\n')
    second.write_text(first.read_text())
    webhook.configure(SETTINGS + f'policies = "{first}"\n')
    webhook.lines.wait(lambda line: '"reloaded"' in line or "msg=reloaded" in line)
    webhook.configure(SETTINGS + f'policies = "{second}"\nimage = "next:1"\n')
    wait_until("the second settings", lambda: "next:1" in json.dumps(
        patch_of(post(webhook, review())[1])))
    second.write_text(deny)  # the new file is watched
    wait_until("the refusal of the second file", refused)
    second.write_text(first.read_text())
    wait_until("the second file as it was", lambda: not refused())
    first.write_text(deny)  # and the old one no more
    webhook.configure(SETTINGS + f'policies = "{second}"\nimage = "last:1"\n')
    wait_until("the last settings", lambda: "last:1" in json.dumps(
        patch_of(post(webhook, review())[1])))


@pytest.mark.parametrize("more, said", [
    ('annotations { limits-mem = "64MB" }\n', "64Mi"),
    ('store "vault" {\n  type = "vault"\n  address = "https://x"\n}\n', "store 'vault'")])
def test_settings_that_would_refuse_every_pod_are_refused(webhook, more, said):
    webhook.configure(SETTINGS + more)
    line = webhook.lines.wait(lambda line: "not reloaded" in line)
    assert said in json.loads(line)["error"]
    assert post(webhook, review())[0] == 200


def test_labels_that_nobody_knows_are_remarked_on(webhook):
    labels = 'namespace_labels = { tier = "gold" }'
    webhook.configure(SETTINGS + f'policy "p" {{\n  match {{ {labels} }}\n'
                      f'  exclude {{ {labels} }}\n  forbid {{ env_secrets = true }}\n}}\n'
                      f'purpose "build" {{\n  {labels}\n  stores = ["ci"]\n}}\n')
    for what in ("policy 'p'", "its exclude never counts", "purpose 'build'"):
        webhook.lines.wait(lambda line, w=what: "namespace_defaults" in line and w in line)


def test_a_faulty_certificate_is_refused_and_the_old_one_stays(webhook):
    old = served_certificate(webhook)
    with open(webhook.cert, "w") as f:
        f.write("no certificate\n")
    webhook.lines.wait(lambda line: "not reloaded" in line)
    assert served_certificate(webhook) == old
    assert webhook.ask("/readyz")[0] == 200


def test_slow_clients_cost_no_good_request(webhook):
    slow = []
    context = ssl.create_default_context(cafile=webhook.authority.cert)
    for i in range(600):
        s = socket.create_connection(("127.0.0.1", webhook.port), LIMIT_S)
        if i % 20 == 0:  # some get as far as half a request
            s = context.wrap_socket(s, server_hostname="127.0.0.1")
            s.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        elif i % 2:
            s.sendall(b"\x16\x03\x01")
        slow.append(s)
    for _ in range(20):
        assert post(webhook, review())[0] == 200
    for s in slow:
        s.close()


def test_a_hundred_fresh_connections_at_once(webhook):
    answers = []

    def one():
        answers.append(post(webhook, review())[0])
    threads = [threading.Thread(target=one) for _ in range(100)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [200] * 100


def test_term_answers_what_has_arrived(webhook):
    kept = client(webhook)
    body, header = json.dumps(review()).encode(), {"Content-Type": "application/json"}
    kept.request("POST", "/mutate", body, header)
    assert kept.getresponse().read()
    half = client(webhook)
    half.connect()
    half.sock.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(body) + body[:100])
    webhook.process.send_signal(signal.SIGTERM)
    webhook.lines.wait(lambda line: "asked to end" in line)
    assert webhook.ask("/readyz")[0] == 503  # new connections are still taken
    half.sock.sendall(body[100:])
    reply = http.client.HTTPResponse(half.sock)
    reply.begin()
    assert reply.status == 200 and reply.getheader("Connection") == "close"
    kept.request("POST", "/mutate", body, header)
    assert kept.getresponse().status == 200
    assert webhook.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("listen,serves", [("[::]:0", True), (":0", True), ("[::1]:0", False)])
def test_a_kernel_without_ipv6(tmp_path, authority, listen, serves):
    cert, key = authority.issue("webhook", "IP:127.0.0.1")
    file = tmp_path / "w.hcl"
    file.write_text(f'listen = "{listen}"\ntls_cert_file = "{cert}"\ntls_key_file = "{key}"\n')
    without_ipv6 = pathlib.Path(__file__).parent / "without_ipv6.py"
    process = machine.start([sys.executable, without_ipv6, PROGRAM, "--config", str(file),
                             "--log-format", "json"], stderr=subprocess.PIPE, text=True)
    try:
        if not serves:
            assert process.wait(LIMIT_S) == 1 and "Address family" in process.stderr.read()
            return
        line = Lines(process.stderr).wait(lambda line: '"serving"' in line)
        socket.create_connection(("127.0.0.1", json.loads(line)["port"]), LIMIT_S).close()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("text,words", [
    ('listen = "0.0.0.0:0"\n', "tls_cert_file"),
    ('listn = ":0"\n', "listen"),
    ('annotations { rol = "x" }\n', "annotation"),
    ('store "x" { type = "vault"  timeout = "soon" }\n', "timeout"),
    ('image = 3\n', "image"),
    ('allow_override = "service"\n', "list"),
    ('allow_override = ["role"]\n', "service, ca-cert"),
])
def test_faulty_settings_at_the_start_are_named(tmp_path, text, words):
    file = tmp_path / "w.hcl"
    file.write_text(text)
    done = subprocess.run([PROGRAM, "--config", str(file)], capture_output=True, text=True,
                          timeout=LIMIT_S)
    assert done.returncode == 1 and words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- ampoule inject, the same code offline

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata:
      annotations:
        ampoule.dev/inject: "true"
        ampoule.dev/role: web
        ampoule.dev/secret-db: kv/data/db#password
        ampoule.dev/service: https://bao:8200
    spec:
      containers:
      - {name: app, image: "app:1", command: [sh, -c, "echo yes\\necho no"]}
"""


def inject(text, *args):
    return subprocess.run([os.path.join(BIN, "ampoule"), "inject", *args], input=text,
                          capture_output=True, text=True, timeout=LIMIT_S)


def wrap(kind, api, *path):
    lines = DEPLOYMENT.splitlines()
    template = lines[lines.index("  template:") + 1:]
    head = [f"apiVersion: {api}", f"kind: {kind}", "metadata: {name: web}"]
    indent = 0
    for key in path:
        head.append("  " * indent + key + ":")
        indent += 1
    return "\n".join(head + ["  " * (indent - 2) + line for line in template]) + "\n"


KINDS = [("Deployment", "apps/v1", "spec", "template"),
         ("StatefulSet", "apps/v1", "spec", "template"),
         ("DaemonSet", "apps/v1", "spec", "template"),
         ("ReplicaSet", "apps/v1", "spec", "template"),
         ("ReplicationController", "v1", "spec", "template"),
         ("Job", "batch/v1", "spec", "template"),
         ("CronJob", "batch/v1", "spec", "jobTemplate", "spec", "template"),
         ("Rollout", "argoproj.io/v1alpha1", "spec", "template")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k[0])
def test_inject_knows_the_kind(kind):
    text = wrap(*kind)
    once = inject(text)
    assert once.returncode == 0, once.stderr
    assert "name: vault-agent" in once.stdout and "restartPolicy: Always" in once.stdout
    again = inject(once.stdout)
    assert again.stdout == once.stdout


def test_inject_keeps_other_documents_and_their_order():
    config = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: "yes"\n  b: |\n' \
             '    two\n    lines\n'
    done = inject(config + "---\n" + DEPLOYMENT + "---\n" + config)
    parts = done.stdout.split("---\n")
    assert parts[0] == config and parts[2] == config and "vault-agent" in parts[1]


def test_inject_takes_lists_and_json():
    done = inject(json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": "p", "annotations": dict(ANNOTATIONS, **{
                "ampoule.dev/service": "https://bao:8200"})},
         "spec": {"containers": [{"name": "app", "image": "a"}]}}]}))
    pod = json.loads(done.stdout)["items"][0]
    assert pod["spec"]["initContainers"][0]["name"] == "vault-agent"


def test_inject_diff_shows_lines_and_ends_with_1():
    done = inject(DEPLOYMENT, "--diff")
    assert done.returncode == 1
    assert "+        name: vault-agent" in done.stdout.replace("- name", "  name")
    assert not any(line.startswith("-") and not line.startswith("---")
                   for line in done.stdout.splitlines())
    assert inject(inject(DEPLOYMENT).stdout, "--diff").returncode == 0


def test_inject_says_which_object_is_wrong():
    done = inject(DEPLOYMENT.replace("ampoule.dev/role: web", "ampoule.dev/mode: none"))
    assert done.returncode == 1 and not done.stdout
    assert "Deployment 'web'" in done.stderr and "ampoule.dev/mode" in done.stderr
    done = inject("a: [1\n")
    assert done.returncode == 1 and "-:2" in done.stderr


@pytest.mark.parametrize("value", ["true", "1", "[a]"])
def test_inject_wants_texts_as_values(value):
    done = inject(DEPLOYMENT.replace('ampoule.dev/inject: "true"', f"ampoule.dev/inject: {value}"))
    assert done.returncode == 1 and not done.stdout
    assert "ampoule.dev/inject is no text" in done.stderr and "quotes" in done.stderr


def test_inject_takes_one_file():
    done = inject(DEPLOYMENT, "-f", "one.yaml", "-f", "two.yaml")
    assert done.returncode == 2 and done.stderr.startswith("usage")


def test_faults_of_the_settings_name_line_and_name(tmp_path):
    path = tmp_path / "webhook.hcl"

    def fault(text):
        path.write_text(text)
        done = inject(DEPLOYMENT, "--config", str(path))
        assert done.returncode == 1
        return done.stderr

    assert "did you mean ampoule.dev/service" in fault('annotations { servce = "x" }\n')
    said = fault('image = "x:1"\n\nstore "aws" {\n  type = "vault"\n  timeout = "x"\n}\n')
    assert "webhook.hcl:3: " in said and "store: 'aws': timeout: " in said


def test_explain_knows_every_annotation():
    def explain(name):
        return subprocess.run([os.path.join(BIN, "ampoule"), "explain", name],
                              capture_output=True, text=True, timeout=LIMIT_S)
    done = explain("vault.hashicorp.com/agent-inject-secret-db")
    assert done.returncode == 0 and "ampoule.dev/secret-<n>" in done.stdout
    assert "30s:unready" not in done.stdout
    assert "unready" in explain("unread-after").stdout
    done = explain("agent-inject-secrte-db")
    assert done.returncode == 1 and "agent-inject-secret-db" in done.stderr
