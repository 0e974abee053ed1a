# SPDX-License-Identifier: Apache-2.0
"""Exec mode beside the real `bao agent`: see exec.sh. Both talk to the store through a proxy that
notes when an answer has passed; the command says when it began."""
import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
import bao as bao_server  # noqa: E402

TARGET_MS, RATIO = 20, 5


class Proxy:
    """Passes bytes on, and notes when the first ones with `needle` went to the client."""

    def __init__(self, port):
        self.port, self.needle, self.seen = port, b"", 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", self.port))
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, to, answers):
        try:
            while data := source.recv(65536):
                if answers and not self.seen and self.needle in data:
                    self.seen = time.time()
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Bench:
    def __init__(self, folder, bao, binary, app):
        self.folder, self.bao, self.app = folder, bao, app
        self.proxy = Proxy(bao.port)
        self.sides = {"ours": [f"{binary}/ampoule-agent"], "theirs": [bao_server.binary(), "agent"]}
        with open(f"{folder}/token", "w", encoding="ascii") as f:
            f.write(bao.token(["bench"]))

    def put(self, value):
        self.proxy.needle, self.proxy.seen = value.encode(), 0.0
        self.bao.put("kv/data/bench", {"data": {"password": value}})

    def start(self, side):
        config = f"{self.folder}/agent.hcl"
        text = json.dumps('{{ with secret "kv/data/bench" }}{{ .Data.data.password }}{{ end }}')
        with open(config, "w", encoding="utf-8") as f:
            f.write(f'vault {{ address = "{self.proxy.address}" }}\n'
                    f'auto_auth {{ method "token_file" {{ config = {{ token_file_path = "{self.folder}/token" }} }} }}\n'
                    'template_config { static_secret_render_interval = "1s" }\n'
                    f'env_template "PASSWORD" {{ contents = {text} }}\n'
                    f'exec {{ command = ["{self.app}", "--env", "PASSWORD"] }}\n')
        return subprocess.Popen([*self.sides[side], f"-config={config}"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    @staticmethod
    def began(process, value):
        """When the command with this value began."""
        right = False
        for line in process.stdout:
            right |= line.strip() == f"env PASSWORD={value}"
            if right and line.startswith("start "):
                return float(line.split()[1])
        raise RuntimeError("the agent has ended")

    def once(self, side, number):
        first, second = f"canary-{side}-{number}-a", f"canary-{side}-{number}-b"
        self.put(first)
        launched = time.time()
        process = self.start(side)
        try:
            began = self.began(process, first)
            start, total = began - self.proxy.seen, began - launched
            self.put(second)
            again = self.began(process, second) - self.proxy.seen
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()
        return {"launch to command": total, "last answer to command": start, "changed answer to restart": again}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--bin", default="build/static", help="folder of our executables")
    args = p.parse_args()
    app = next(a for a in ("build/mbedtls-musl/test/prog/exec_app", "build/openssl-glibc/test/prog/exec_app")
               if os.path.exists(a))
    got = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory(prefix="ampoule-", dir="/dev/shm") as folder:
        with bao_server.Bao(f"{folder}/bao") as bao:
            bao.kv2("kv")
            bao.policy("bench", ("kv/data/bench", "read"))
            bench = Bench(folder, bao, os.path.abspath(args.bin), os.path.abspath(app))
            for number in range(args.rounds):
                for side, results in got.items():
                    results.append(bench.once(side, number))
    print(f"{args.rounds} rounds, load {os.getloadavg()[0]:.1f}; milliseconds: min / median / max")
    medians = {}
    for name in got["ours"][0]:
        cells = []
        for side, results in got.items():
            ms = [r[name] * 1000 for r in results]
            medians[side, name] = statistics.median(ms)
            cells.append(f"{side} {min(ms):8.1f} /{statistics.median(ms):8.1f} /{max(ms):8.1f}")
        ratio = medians["theirs", name] / max(medians["ours", name], 0.001)
        print(f"{name:28} {'   '.join(cells)}   ratio {ratio:.0f}")
    start, again = "last answer to command", "changed answer to restart"
    good = (medians["ours", start] <= TARGET_MS and
            all(medians["ours", n] * RATIO <= medians["theirs", n] for n in (start, again)))
    print("targets met" if good else "TARGET MISSED")
    return 0 if good else 1


sys.exit(main())
