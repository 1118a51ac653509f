"""Other queues of one machine, driven as their manuals say, each in a scratch folder that is gone after."""

import os
import shutil
import socket
import subprocess
import time

from daemon import scratch_folder
from peer_install import Missing, cargo, debian, wheel

READY_S = 20
#: One benchmark gives one peer this long; what it did not reach until then counts as not reached.
PEER_LIMIT_S = float(os.environ.get("NIGHTSHIFT_BENCH_PEER_S", "20"))
PUEUE_VERSION = "4.0.4"
GFLOW_VERSION = "0.4.18"
SLURM_PACKAGES = [
    "slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins", "libmunge2", "libhwloc15", "libnuma1",
    "libjson-c5", "libyaml-0-2", "liblua5.1-0", "libdbus-1-3",
]  # fmt: skip


class Peer:
    """`slots`: jobs at a time. Subclasses set `name`, `lacks` and the verbs."""

    name = ""
    lacks = ""

    def __init__(self, slots):
        self.slots = slots
        self.environment = dict(os.environ)
        self.daemons = []
        self.folder = scratch_folder()
        self.end = 0.0

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            for daemon in self.daemons:
                daemon.terminate()
                try:
                    daemon.wait(10)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def left_s(self):
        """Seconds that are left to it."""
        return self.end - time.monotonic()

    def call(self, *command):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env=self.environment, text=True, cwd=self.folder, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def daemon(self, *command):
        with open(os.path.join(self.folder, "daemon.log"), "ab") as log:
            self.daemons.append(
                subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                 env=self.environment, cwd=self.folder)
            )  # fmt: skip

    def until(self, is_ready):
        end = time.monotonic() + READY_S
        while True:
            try:
                if is_ready():
                    return
            except RuntimeError:
                pass
            if time.monotonic() > end:
                raise Missing(f"{self.name}: did not become ready in {READY_S} s")
            time.sleep(0.05)

    def start(self):
        raise NotImplementedError

    def stop(self):
        pass

    def add(self, command):
        raise NotImplementedError

    def pause(self):
        """Adds wait from now on."""
        raise NotImplementedError


class Pueue(Peer):
    name = "pueue"
    lacks = "its manual does not promise that what was just added survives a power loss"

    def start(self):
        programs = cargo("pueue", PUEUE_VERSION)
        self.client = [os.path.join(programs, "pueue"), "-c", os.path.join(self.folder, "pueue.yml")]
        with open(self.client[2], "w", encoding="utf-8") as file:
            file.write(
                f"shared:\n  pueue_directory: {self.folder}\n  runtime_directory: {self.folder}\n"
                "  use_unix_socket: true\ndaemon: {}\nclient: {}\n"
            )
        self.daemon(os.path.join(programs, "pueued"), "-c", self.client[2])
        self.until(lambda: self.call(*self.client, "status") is not None)
        self.call(*self.client, "parallel", str(self.slots))

    def stop(self):
        if self.daemons and self.daemons[0].poll() is None:
            self.call(*self.client, "reset", "--force")

    def add(self, command):
        self.call(*self.client, "add", "--", *command)

    def pause(self):
        self.call(*self.client, "pause")


class TaskSpooler(Peer):
    name = "tsp"
    lacks = "the queue is kept in memory alone: it is gone when its server ends"

    def start(self):
        self.program = os.path.join(debian("task-spooler", ["task-spooler"]), "usr/bin/tsp")
        self.environment.update(TS_SOCKET=os.path.join(self.folder, "s"), TMPDIR=self.folder,
                                TS_MAXFINISHED="10")  # fmt: skip
        self.call(self.program, "-S", str(self.slots))

    def stop(self):
        self.call(self.program, "-K")

    def add(self, command):
        self.call(self.program, "-n", *command)

    def pause(self):
        # It has no pause: one long job in each slot keeps the others waiting. Its server leaves jobs behind,
        # so they end with this peer's folder.
        for _ in range(self.slots):
            self.add(["sh", "-c", f"while [ -d '{self.folder}' ]; do sleep 1; done"])


class Slurm(Peer):
    name = "slurm"
    lacks = "run without munge and accounting"

    def start(self):
        if os.geteuid() != 0:
            raise Missing("slurm: slurmd has to run as root")
        root = debian("slurm", SLURM_PACKAGES)
        usual = "usr/lib/x86_64-linux-gnu"
        libraries = [os.path.join(root, part) for part in (usual, f"{usual}/slurm-wlm", usual[4:])]
        self.bin, sbin = os.path.join(root, "usr/bin"), os.path.join(root, "usr/sbin")
        configuration = os.path.join(self.folder, "slurm.conf")
        self.environment.update(LD_LIBRARY_PATH=":".join(libraries), SLURM_CONF=configuration)
        host, ports = socket.gethostname(), free_ports(2)
        for part in ("state", "spool"):
            os.mkdir(os.path.join(self.folder, part))
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(
                f"ClusterName=bench\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={ports[0]}\n"
                f"SlurmdPort={ports[1]}\nSlurmUser=root\nAuthType=auth/none\nCredType=cred/none\n"
                f"PluginDir={libraries[1]}\nStateSaveLocation={self.folder}/state\n"
                f"SlurmdSpoolDir={self.folder}/spool\nSlurmctldPidFile={self.folder}/ctld.pid\n"
                f"SlurmdPidFile={self.folder}/slurmd.pid\nProctrackType=proctrack/linuxproc\n"
                "TaskPlugin=task/none\nMpiDefault=none\nReturnToService=2\nSelectType=select/cons_tres\n"
                "SelectTypeParameters=CR_CPU\nSlurmdParameters=config_overrides\nMaxJobCount=20000\n"
                f"NodeName={host} NodeAddr=127.0.0.1 CPUs={self.slots} State=UNKNOWN\n"
                "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
            )
        self.daemon(os.path.join(sbin, "slurmctld-wlm"), "-D", "-f", configuration)
        self.daemon(os.path.join(sbin, "slurmd-wlm"), "-D", "-f", configuration,
                    "-d", os.path.join(sbin, "slurmstepd-wlm"))  # fmt: skip
        self.until(lambda: "idle" in self.call(os.path.join(self.bin, "sinfo"), "-h", "-o", "%T"))

    def add(self, command):
        self.call(os.path.join(self.bin, "sbatch"), "-n1", "-o", "/dev/null", "--wrap", " ".join(command))

    def pause(self):
        self.call(os.path.join(self.bin, "scontrol"), "update", "PartitionName=all", "State=DOWN")


class Gflow(Peer):
    name = "gflow"
    lacks = "waits a second by itself for each job's tmux session to come up"

    def start(self):
        if shutil.which("tmux") is None:
            raise Missing("gflow: it runs each job in a tmux session, and there is no tmux here")
        # Its own package on PyPI is called runqd.
        programs = wheel("gflow", "runqd", GFLOW_VERSION)
        self.client = {name: os.path.join(programs, name) for name in ("gbatch", "gctl", "gqueue")}
        for part in ("config/gflow", "data", "runtime"):
            os.makedirs(os.path.join(self.folder, part))
        path = f"{programs}:{self.environment['PATH']}"
        self.environment.update(
            HOME=self.folder, XDG_CONFIG_HOME=os.path.join(self.folder, "config"), PATH=path,
            XDG_DATA_HOME=os.path.join(self.folder, "data"), TMUX_TMPDIR=self.folder, SHELL="/bin/sh",
            XDG_RUNTIME_DIR=os.path.join(self.folder, "runtime"),
        )  # fmt: skip
        self.environment.pop("TMUX", None)
        # A job tells its end with `gcancel`, from a login shell that makes its PATH anew.
        with open(os.path.join(self.folder, ".profile"), "w", encoding="utf-8") as file:
            file.write(f"export PATH='{path}'\n")
        configuration = os.path.join(self.folder, "config/gflow/gflow.toml")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f'[daemon]\nhost = "127.0.0.1"\nport = {free_ports(1)[0]}\n')
        self.daemon(os.path.join(programs, "gflowd"), "-c", configuration)
        self.until(lambda: self.call(self.client["gqueue"]) is not None)
        self.limit(self.slots)

    def stop(self):
        subprocess.run(["tmux", "kill-server"], env=self.environment, stderr=subprocess.DEVNULL)

    def limit(self, count):
        self.call(self.client["gctl"], "quota", "set", "--default-user", "--max-running-jobs", str(count))

    def add(self, command):
        self.call(self.client["gbatch"], "--auto-close", *command)

    def pause(self):
        self.limit(0)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


PEERS = [Pueue, TaskSpooler, Gflow, Slurm]


def each_peer(figures, slots, measure):
    """Calls `measure(peer)` for every peer that can be had; the others are named with their reason."""
    for kind in PEERS:
        try:
            with kind(slots) as peer:
                peer.end = time.monotonic() + PEER_LIMIT_S
                measure(peer)
                if peer.lacks:
                    note = f"{peer.name}: {peer.lacks}"
                    if note not in figures.notes:
                        figures.note(note)
        except Missing as reason:
            note = f"left out: {reason}"
            if note not in figures.notes:
                figures.note(note)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            figures.note(f"{kind.name} failed: {error}")
