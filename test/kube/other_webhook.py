# SPDX-License-Identifier: Apache-2.0
"""Neighbours of the webhook under test: another webhook that adds a container, as a mesh does,
and a relay that stands where a Service's network would."""
import base64
import contextlib
import http.server
import json
import socket
import ssl
import threading

ADDED = {"name": "late", "image": "registry.example/mesh:1"}


class Mesh:
    """Adds one container to every pod that lacks it."""

    def __init__(self, authority):
        self.calls = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.calls += 1
                body = json.dumps(outer.answer(review)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        cert, key = authority.issue("mesh", "IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def answer(review):
        containers = review["request"]["object"]["spec"]["containers"]
        response = {"uid": review["request"]["uid"], "allowed": True}
        if not any(c["name"] == ADDED["name"] for c in containers):
            patch = [{"op": "add", "path": "/spec/containers/-", "value": ADDED}]
            response.update(patchType="JSONPatch",
                            patch=base64.b64encode(json.dumps(patch).encode()).decode())
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "response": response}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Relay:
    """Passes connections on to the port of the day. Those that exist stay where they are, as
    with a Service whose endpoints change."""

    def __init__(self):
        self.target = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), 10)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which a close alone does not
        self.listener.close()
