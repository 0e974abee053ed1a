# SPDX-License-Identifier: Apache-2.0
"""ampoule-webhook as a process, with its configuration and a fresh certificate."""
import json
import os
import pathlib
import signal
import ssl
import subprocess
import urllib.error
import urllib.request

from agent_run import BIN, Lines
from machine import LIMIT_S, start

PROGRAM = os.path.join(BIN, "ampoule-webhook")


class Webhook:
    """Serves on loopback, on a port of its own; `settings` is HCL behind listen and files."""

    def __init__(self, folder, authority, settings="", port=0, name="webhook", extra=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = authority
        self.cert, self.key = authority.issue(
            name, "IP:127.0.0.1,DNS:localhost,DNS:webhook.hooks.svc")
        self.file = self.folder / f"{name}.hcl"
        self.listen = f'listen = "127.0.0.1:{port}"\n'
        self.configure(settings)
        self.process = start(
            [PROGRAM, "--config", str(self.file), "--log-format", "json", "--log-level", "debug",
             *extra], stderr=subprocess.PIPE, text=True)
        self.lines = Lines(self.process.stderr)
        line = self.lines.wait(lambda line: '"serving"' in line)
        self.port = json.loads(line)["port"]
        self.url = f"https://127.0.0.1:{self.port}"

    def configure(self, settings):
        """Replaces the file as an editor would."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f'{self.listen}tls_cert_file = "{self.cert}"\n'
                         f'tls_key_file = "{self.key}"\n{settings}')
        fresh.rename(self.file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def end(self):
        """Asks it to end, and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)

    def ask(self, path, body=None, content_type="application/json", method=None):
        """(status, text) of one request."""
        context = ssl.create_default_context(cafile=self.authority.cert)
        request = urllib.request.Request(self.url + path, body, method=method)
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, context=context, timeout=LIMIT_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def client_config(self, path="/mutate"):
        import kube
        return {"url": self.url + path, "caBundle": kube.bundle(self.authority.cert)}
