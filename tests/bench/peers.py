"""Other queues of one machine, driven as their manuals say, each in a scratch folder that is gone after."""

import os
import shutil
import socket
import subprocess
import time

from daemon import scratch_folder
from peer_install import Missing, cargo, debian

READY_S = 20
PUEUE_VERSION = "4.0.4"
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

    def start(self):
        raise Missing("gflow: runs each job in a tmux session of the user's own server; not driven here yet")


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
