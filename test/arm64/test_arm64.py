# SPDX-License-Identifier: Apache-2.0
"""The executables for arm64, run by qemu's user mode: they start, render, and fetch by HTTPS."""
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/static-arm64"
LIMIT_S = 120
sys.path.insert(0, str(ROOT / "test/system"))

import bao  # noqa: E402


def run(name, *args, **more):
    return subprocess.run(["qemu-aarch64-static", str(BIN / name), *args], capture_output=True,
                          text=True, timeout=LIMIT_S, **more)


@pytest.mark.parametrize("name", ["ampoule", "ampoule-agent", "ampoule-webhook"])
def test_version(name):
    done = run(name, "--version")
    assert done.returncode == 0 and done.stdout.startswith(f"{name} "), done.stderr
    assert "mbedTLS 3.6" in done.stdout


@pytest.mark.parametrize("name,most", [("ampoule-agent", 1.0), ("ampoule-webhook", 0.75)])
def test_it_is_small(name, most):
    """Though each part of the file can be mapped with pages of 64 KiB."""
    path = BIN / name
    size = path.stat().st_size
    print(f"\n  {path.relative_to(ROOT)}: {size} bytes")
    assert size <= most * 2 ** 20
    said = subprocess.run(["readelf", "-hldW", str(path)], check=True, capture_output=True,
                          text=True).stdout
    loads = [line.split() for line in said.splitlines() if line.split()[:1] == ["LOAD"]]
    assert loads and all(int(load[-1], 16) >= 1 << 16 for load in loads)
    assert "Type:" in said and "DYN" in said and "INTERP" not in said and "(NEEDED)" not in said
    assert "(RELR)" in said and "GNU_RELRO" in said and "NOW" in said and "TEXTREL" not in said


def test_render(tmp_path):
    (tmp_path / "t").write_text('{{ with secret "kv/db" }}{{ .Data.password | sha256Hex }}'
                                '{{ range $i, $x := .Data.list }} {{ $i }}={{ $x }}{{ end }}{{ end }}')
    (tmp_path / "s.json").write_text(json.dumps(
        {"kv/db": {"data": {"password": "hunter2", "list": [1.5, "a"]}}}))
    done = run("ampoule", "render", "--template", str(tmp_path / "t"), "--secrets",
               str(tmp_path / "s.json"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7"
                           " 0=1.5 1=a")


ANSWERS = {
    "/v1/auth/token/lookup-self": {"ttl": 3600, "renewable": False},
    "/v1/kv/data/db": {"data": {"password": "hunter2"}, "metadata": {"version": 3}},
}


class Store(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = ANSWERS.get(self.path) if self.headers["X-Vault-Token"] == "t0k3n" else None
        body = json.dumps({"request_id": "1", **({"data": data} if data else {"errors": []})}).encode()
        self.send_response(200 if data else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_one_fetch_by_https(tmp_path):
    """The agent for arm64 gets a secret from a server, whose certificate it checks."""
    authority = bao.Authority(tmp_path / "ca")
    cert, key = authority.issue("store", "IP:127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (tmp_path / "token").write_text("t0k3n")
        text = f"""
vault {{ address = "https://127.0.0.1:{server.server_port}"  ca_cert = "{authority.cert}" }}
auto_auth {{ method "token_file" {{ config = {{ token_file_path = "{tmp_path}/token" }} }} }}
template {{
  destination = "{tmp_path}/out"
  contents    = "{{{{ with secret \\"kv/data/db\\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}"
}}
"""
        (tmp_path / "agent.hcl").write_text(text)
        done = run("ampoule-agent", "--config", str(tmp_path / "agent.hcl"), "--once",
                   "--timeout", "60s")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out").read_text() == "hunter2"
        other = bao.Authority(tmp_path / "other")
        (tmp_path / "agent.hcl").write_text(text.replace(authority.cert, other.cert))
        done = run("ampoule-agent", "--config", str(tmp_path / "agent.hcl"), "--once",
                   "--timeout", "3s")
        assert done.returncode == 1 and "certificate" in done.stderr
    finally:
        server.shutdown()
