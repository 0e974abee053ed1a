# SPDX-License-Identifier: Apache-2.0
"""The main job with real programs and no server: seal a secret, render it into a memory
volume, rotate it, see that the application has read it. Prints a timeline in milliseconds
and ends by itself; every claim on the screen is checked, and exit 0 means that all held."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime

BIN = os.path.abspath(os.environ.get("AMPOULE_BIN", "build/bin"))
APP = os.path.join(os.path.dirname(BIN), "test", "prog", "demo_app")
SLOW = float(os.environ.get("DEMO_SLOW", "1"))  # valgrind takes its time
WAIT_S = 60 * SLOW

CONFIG = """\
status_socket = "{dir}/agent.sock"

store "sealed" {{
  type     = "sealed"
  file     = "{dir}/secrets.sealed"
  key_file = "{dir}/key"
}}

deliver "web"    {{ folder = "{dir}/web"    mount = "{dir}/web" }}
deliver "legacy" {{ folder = "{dir}/legacy" mount = "{dir}/legacy" }}

observe {{ unread_after = "1s" }}

template {{
  contents    = "password={{{{ with secret \\"demo/db\\" }}}}{{{{ .Data.value }}}}{{{{ end }}}}\\n"
  destination = "{dir}/web/db"
  notify      = ["signal:HUP@pidfile={dir}/web.pid"]
  on_revoked  = "remove"
}}

template {{
  contents    = "password={{{{ with secret \\"demo/db\\" }}}}{{{{ .Data.value }}}}{{{{ end }}}}\\n"
  destination = "{dir}/legacy/db"
  notify      = ["signal:HUP@pidfile={dir}/legacy.pid"]
  on_revoked  = "remove"
}}
"""


class Timeline:
    """Events of all programs, by the time that each of them noted."""

    def __init__(self):
        self.zero = time.time()
        self.lock = threading.Condition()
        self.events = []
        self.mark_at = 0

    def add(self, when, who, text, key):
        with self.lock:
            self.events.append((when, who, text, key))
            self.lock.notify_all()

    def step(self, title):
        self.flush()
        self.zero = time.time()
        print(f"\n{title}", flush=True)

    def flush(self):
        with self.lock:
            new = sorted(self.events[self.mark_at:], key=lambda event: event[0])
            self.mark_at = len(self.events)
        for when, who, text, _ in new:
            print(f"  {(when - self.zero) * 1000:+7.0f} ms  {who:<6}  {text}", flush=True)

    def wait(self, *keys):
        """Waits until an event with each key has come since the last step."""
        deadline = time.monotonic() + WAIT_S
        with self.lock:
            while True:
                seen = {key for when, _, _, key in self.events if when >= self.zero - 0.05}
                missing = [key for key in keys if key not in seen]
                if not missing:
                    return
                if not self.lock.wait(deadline - time.monotonic()):
                    raise SystemExit(f"demo: did not happen within {WAIT_S:.0f} s: {missing}")


def read_agent(stream, line_time, log):
    for raw in stream:
        try:
            line = json.loads(raw)
        except ValueError:
            log.write(raw)
            continue
        log.write(raw)
        when = datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()
        event, container = line["msg"], line.get("container", "")
        secrets = line.get("secrets", "")
        texts = {
            "fetch": f"fetched {line.get('secret')} version {line.get('version')}",
            "publish": f"published to {container}: {secrets}",
            "signal": f"notified: {line.get('notify', '').split('=')[0]}",
            "read": f"read by {container}: {secrets}, {line.get('after_ms')} ms after publication",
            "unread": f"UNREAD by {container}: {secrets}, after {line.get('after_ms')} ms",
            "gone": f"gone from the store: {line.get('secret')}",
            "remove": f"removed the file of {secrets}",
        }
        if line["level"] == "audit" and event in texts:
            line_time.add(when, "agent", texts[event], f"{event} {container}".strip())


def read_app(stream, name, line_time):
    for raw in stream:
        stamp, _, text = raw.strip().partition(" ")
        line_time.add(float(stamp), name, text, f"{name} {text}")


class Demo:
    def __init__(self):
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.dir = tempfile.mkdtemp(prefix="ampoule-demo-", dir=base)
        self.time = Timeline()
        self.children = []

    def tool(self, *args, value=None):
        done = subprocess.run([f"{BIN}/ampoule", *args], input=value, text=True,
                              capture_output=True, timeout=60 * SLOW)
        if done.returncode:
            raise SystemExit(f"demo: ampoule {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def seal(self, word, *args, value=None):
        print(f"  $ {'echo ' + value.strip() + ' | ' if value else ''}ampoule seal {word} "
              f"{' '.join(args)}".replace(self.dir, "$D"), flush=True)
        return self.tool("seal", word, "--file", f"{self.dir}/secrets.sealed", *args, value=value)

    def start(self, argv, reader, *reader_args, stream="stdout"):
        child = subprocess.Popen(argv, text=True, **{stream: subprocess.PIPE})
        self.children.append(child)
        threading.Thread(target=reader, args=(getattr(child, stream), *reader_args),
                         daemon=True).start()
        return child

    def start_app(self, name, *args):
        child = self.start([APP, f"{self.dir}/{name}/db", *args], read_app, name, self.time)
        with open(f"{self.dir}/{name}.pid", "w", encoding="ascii") as f:
            f.write(str(child.pid))

    def expect_file(self, name, content):
        path = f"{self.dir}/{name}/db"
        real = open(path, encoding="utf-8").read() if os.path.exists(path) else None
        if real != content:
            raise SystemExit(f"demo: {path} holds {real!r}, not {content!r}")

    def run(self):
        t = self.time
        t.step("1. Seal a secret. A writer needs the public key only.")
        public = self.tool("seal", "keygen", "--output", f"{self.dir}/key").strip().split()[-1]
        print("  $ ampoule seal keygen --output $D/key")
        self.seal("put", "-r", public, "demo/db", value="first-password\n")

        t.step("2. Start the agent: it opens the secret, renders it into the memory volume.")
        with open(f"{self.dir}/agent.hcl", "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.dir))
        self.log = open(f"{self.dir}/agent.log", "w", encoding="utf-8")
        self.agent = self.start(
            [*os.environ.get("DEMO_WRAP", "").split(), f"{BIN}/ampoule-agent", "--config",
             f"{self.dir}/agent.hcl", "--log-format", "json"],
            read_agent, t, self.log, stream="stderr")
        subprocess.run([f"{BIN}/ampoule-agent", "--probe", "startup", "--wait", "--timeout",
                        f"{WAIT_S:.0f}s", "--socket", f"{self.dir}/agent.sock"], check=True)
        t.wait("publish web", "publish legacy")
        self.expect_file("web", "password=first-password\n")
        t.flush()
        print(f"  $ cat $D/web/db\n  {open(self.dir + '/web/db', encoding='utf-8').read().strip()}")

        t.step("3. The applications start: `web` reloads on SIGHUP, `legacy` ignores it.")
        self.start_app("web")
        self.start_app("legacy", "--deaf")
        t.wait("web has password=first-password", "legacy has password=first-password",
               "read web", "read legacy")

        t.step("4. Rotate.")
        self.seal("put", "demo/db", value="second-password\n")
        t.wait("web has password=second-password", "read web", "unread legacy")
        self.expect_file("web", "password=second-password\n")

        t.step("5. Roll back.")
        self.seal("rollback", "demo/db")
        t.wait("web has password=first-password", "read web")
        self.expect_file("web", "password=first-password\n")

        t.step("6. What the agent knows.")
        t.wait("unread legacy")
        t.flush()
        table = self.tool("status", "--socket", f"{self.dir}/agent.sock")
        print("  $ ampoule status")
        for line in table.splitlines():  # the columns stay where they are
            for name in ("web", "legacy"):
                path = f"{self.dir}/{name}/db"
                line = line.replace(path, f"$D/{name}/db".ljust(len(self.dir) + 10)[:16])
            print(f"  {line.rstrip()}")
        if "overdue" not in table:
            raise SystemExit("demo: the status does not show the overdue application")

        t.step("7. Remove the secret: its files disappear, the applications are told.")
        self.seal("remove", "demo/db")
        t.wait("web cannot-read No such file or directory", "gone")
        self.expect_file("web", None)
        self.expect_file("legacy", None)

        t.step("8. Stop the agent.")
        begin = time.monotonic()
        self.agent.send_signal(signal.SIGTERM)
        if self.agent.wait(timeout=WAIT_S) != 0:
            raise SystemExit("demo: the agent did not end well")
        print(f"  ended with 0 after {(time.monotonic() - begin) * 1000:.0f} ms")
        t.flush()

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo()
    try:
        demo.run()
        print("\ndemo: every step held")
    except BaseException:
        demo.time.flush()
        log = f"{demo.dir}/agent.log"
        if os.path.exists(log):
            sys.stderr.write(open(log, encoding="utf-8").read())
        raise
    finally:
        demo.close()


if __name__ == "__main__":
    main()
