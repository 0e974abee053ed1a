# SPDX-License-Identifier: Apache-2.0
"""A whole Kubernetes of one node: etcd, API server, controllers and scheduler, containerd with
runc, and a kubelet. It runs in a room of its own (room.sh), from which it takes its addresses;
everything outside of the work folder is the room's.

    with Cluster(folder) as cluster:
        cluster.load(archive)
        cluster.create("/api/v1/namespaces/shop/pods", pod)
"""
import contextlib
import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import kube

NODE = os.environ.get("NODE", "")  # where pods find what runs on the node
API = os.environ.get("API", "")  # the Service `kubernetes`
NAME = "node"
SOCKET = "/run/containerd/containerd.sock"
LIMIT_S = 120


def until(what, check, limit=LIMIT_S, every=0.1):
    """The first true value of check(); errors of the API server while it starts count as no."""
    end = time.monotonic() + limit
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {limit} s: {what}")
        time.sleep(every)


def unified():
    """Whether this machine has cgroup v2 alone; else a hierarchy for each controller."""
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def groups(controller):
    """Where the room's pods have their cgroups of a controller."""
    top = pathlib.Path("/sys/fs/cgroup")
    return (top if unified() else top / controller) / os.environ["CGROUP"]


class Cluster(kube.Kube):
    PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet",
                "kubectl", "node")
    NAMES = f"IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,IP:{API},IP:{NODE}"
    PORT = 443

    def __init__(self, folder):
        super().__init__(folder)
        self.FLAGS = (
            "--bind-address=0.0.0.0", f"--advertise-address={NODE}",
            "--enable-aggregator-routing=true",  # to a Service's pods, without a kube-proxy
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={self.admin_cert}",
            f"--kubelet-client-key={self.admin_key}", "--watch-cache=true")
        self.kubeconfig = None

    # --- life

    def start(self):
        super().start()
        self.kubeconfig = self.config("admin", self.admin_cert, self.admin_key)
        self._spawn("kube-controller-manager", f"--kubeconfig={self.kubeconfig}",
                    "--leader-elect=false", "--secure-port=0",
                    f"--service-account-private-key-file={self.account_key}",
                    f"--root-ca-file={self.ca.cert}", "--concurrent-deployment-syncs=2")
        self._spawn("kube-scheduler", f"--kubeconfig={self.kubeconfig}",
                    "--leader-elect=false", "--secure-port=0")
        self.start_node()

    def start_node(self):
        """containerd and the kubelet, and waits until the node is ready."""
        self._containerd()
        since = time.time()
        self._kubelet()
        until("the node is ready", lambda: self._ready(since))

    def stop_node(self, kill=False):
        """The kubelet and containerd; what runs in pods goes on without them."""
        for name in ("kubelet", "containerd"):
            process = next(p for n, p in self.processes if n == name)
            process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            process.wait(LIMIT_S)
            self.processes.remove((name, process))

    def reboot(self):
        """As if the power had failed: no process, no mount, no network of a pod is left, and
        the node starts again with what lies on its disk."""
        self.stop_node(kill=True)
        for group in groups("pids").rglob("cgroup.procs"):
            for pid in _read(group).split():
                _kill(pid)
        for comm in glob.glob("/proc/[0-9]*/comm"):
            if "containerd-shim" in _read(comm):
                _kill(comm.split("/")[2])
        for line in reversed(_read("/proc/self/mounts").splitlines()):
            place = line.split()[1]
            if place.startswith(("/var/lib/kubelet/", "/run/containerd/", "/run/netns/",
                                 "/var/lib/containerd/")):
                subprocess.run(["umount", "-l", place], check=True)
        for folder in ("/run/containerd", "/run/netns", "/run/cni"):
            shutil.rmtree(folder, ignore_errors=True)
        until("the pods' cgroups are gone", _remove_cgroups)
        self.start_node()

    def _ready(self, since):
        for name, process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended: {self.log(name)[-2000:]}")
        answer = self.get(f"/api/v1/nodes/{NAME}")
        if answer.status != 200:
            return False
        for one in answer.document["status"].get("conditions", []):
            if one["type"] == "Ready" and one["status"] == "True":
                beat = time.mktime(time.strptime(one["lastHeartbeatTime"], "%Y-%m-%dT%H:%M:%SZ"))
                return beat - time.timezone >= int(since)
        return False

    def _containerd(self):
        net = pathlib.Path("/run/net.d")
        net.mkdir(exist_ok=True)
        (net / "pods.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {
                "type": "host-local", "ranges": [[{"subnet": "10.88.0.0/21"}]],
                "dataDir": "/run/cni", "routes": [{"dst": "0.0.0.0/0"}]}}]}))
        cri = '[plugins."io.containerd.grpc.v1.cri"'
        config = pathlib.Path("/run/containerd.toml")
        config.write_text(f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
address = "{SOCKET}"
{cri}]
sandbox_image = "localhost/pause:test"
restrict_oom_score_adj = true
disable_apparmor = true
{cri}.containerd]
default_runtime_name = "runc"
snapshotter = "overlayfs"
{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
{cri}.containerd.runtimes.runc.options]
BinaryName = "{self.bin}/runc"
SystemdCgroup = false
{cri}.cni]
bin_dir = "{self.bin}"
conf_dir = "{net}"
""")
        os.environ["PATH"] = f"{self.bin}:{os.environ['PATH']}"  # where it finds its shim
        self._spawn("containerd", "--config", str(config))
        until("containerd answers", lambda: self.ctr("version").returncode == 0)

    def _kubelet(self):
        cert, key = self.client("kubelet", f"/O=system:nodes/CN=system:node:{NAME}")
        pathlib.Path("/run/resolv.conf").write_text("nameserver 127.0.0.1\n")
        config = pathlib.Path("/run/kubelet.json")
        config.write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{SOCKET}",
            "authentication": {"x509": {"clientCAFile": self.ca.cert},
                               "anonymous": {"enabled": False}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{os.environ['CGROUP']}",
            "enforceNodeAllocatable": [], "failCgroupV1": False, "failSwapOn": False,
            "oomScoreAdj": 0, "makeIPTablesUtilChains": False,
            "localStorageCapacityIsolation": False, "seccompDefault": True,
            "serializeImagePulls": False, "clusterDNS": [NODE], "resolvConf": "/run/resolv.conf",
            # A container that ends again and again waits seconds between, not minutes.
            "featureGates": {"KubeletCrashLoopBackOffMax": True},
            "crashLoopBackOff": {"maxContainerRestartPeriod": "2s"},
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%",
                             "nodefs.inodesFree": "0%", "imagefs.available": "0%"}}))
        self._spawn("kubelet", f"--config={config}",
                    f"--kubeconfig={self.config('kubelet', cert, key)}",
                    f"--hostname-override={NAME}", f"--node-ip={NODE}")

    # --- what is asked of it

    def ctr(self, *args):
        return subprocess.run([str(self.bin / "ctr"), "-a", SOCKET, "-n", "k8s.io", *args],
                              capture_output=True, text=True, timeout=LIMIT_S)

    def load(self, archive):
        done = self.ctr("images", "import", str(archive))
        assert done.returncode == 0, done.stderr

    def kubectl(self, *args, text=None):
        return subprocess.run(
            [str(self.bin / "kubectl"), f"--kubeconfig={self.kubeconfig}", *args], input=text,
            capture_output=True, text=True, timeout=LIMIT_S)


def _remove_cgroups():
    """Of the pods, as far as their processes have ended; whether none is left."""
    left = 0
    for top in glob.glob(str(groups("*") / "*/")):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                left += 1
    return left == 0


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):  # it ended with the one before
        os.kill(int(pid), signal.SIGKILL)


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""
