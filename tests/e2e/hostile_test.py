#!/usr/bin/env python3
"""Programs that do not want to go: which fork without end, hide, stop, are traced, or hang inside the kernel;
and what none of them may hold."""

import os
import signal
import subprocess
import sys
import time

from harness import TERMINAL, Daemon, Folder, Skip, run, wait_for, workers
from promises import broken_invariants, read_only
from stuck_folder import StuckFolder

SIMULATE = ("--simulate", "gpu=8GiB")
GIB = 1 << 30

# Every way to hide that a program has. Each one's pid is a file name in the folder of the first argument;
# with "loner" also one that takes the mark out of its environment, which only a living worker can find.
ZOO = r"""
import ctypes, os, signal, sys, threading, time
folder = sys.argv[1]
libc = ctypes.CDLL(None)
PTRACE_TRACEME, SYS_EXIT = 0, 60 if os.uname().machine == 'x86_64' else 93

def appear(name):
    open(os.path.join(folder, f'{name} {os.getpid()}'), 'w').close()

def stay():
    while True:
        time.sleep(1000)

def beast(name, act=stay):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if name == 'traced':
            libc.ptrace(PTRACE_TRACEME, 0, 0, 0)
        appear(name)
        act()

def orphan():
    os.setsid()
    if os.fork() == 0:
        appear('grandchild')
        stay()
    os._exit(0)

def headless():
    # The first thread ends, so the process looks like a zombie; the second goes on.
    threading.Thread(target=stay).start()
    libc.syscall(SYS_EXIT, 0)

def loner():
    os.setsid()
    if os.fork() == 0:
        os.execve('/bin/sh', ['sh', '-c', 'echo > "$0/loner $$"; exec sleep 1000', folder], {})
    os._exit(0)

beast('deaf')
beast('orphan', orphan)
beast('stopped', lambda: os.kill(os.getpid(), signal.SIGSTOP))
beast('traced', lambda: os.kill(os.getpid(), signal.SIGSTOP))
beast('headless', headless)
if 'loner' in sys.argv:
    beast('gone', loner)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
appear('main')
stay()
"""
BEASTS = {"deaf", "grandchild", "stopped", "traced", "headless", "main"}


class Zoo:
    """A job that runs ZOO, and the pids of all that live in it."""

    def __init__(self, daemon, folder, name, *words):
        self.daemon, self.folder = daemon, os.path.join(folder.root, name)
        self.wanted = BEASTS | set(words)
        os.mkdir(self.folder)
        self.job = daemon.command(sys.executable, "-c", ZOO, self.folder, *words, cpu=0)

    def pids(self):
        return {name.split()[0]: int(name.split()[1]) for name in os.listdir(self.folder)}

    def open(self):
        wait_for(lambda: self.wanted <= set(self.pids()), what="all of the zoo")
        wait_for(lambda: state_of(self.pids()["stopped"]) == "T", what="the one that stops itself")
        wait_for(lambda: state_of(self.pids()["headless"]) == "Z", what="the one without its first thread")

    def left(self):
        """Those that are still there; a zombie that somebody else has to bury is not."""
        return {name: pid for name, pid in self.pids().items() if name in self.wanted and is_there(pid)}


def stat_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()


def state_of(pid):
    try:
        return stat_of(pid)[0].decode()
    except OSError:
        return ""


def is_there(pid):
    try:
        fields = stat_of(pid)
    except OSError:
        return False
    return not (fields[0] == b"Z" and int(fields[17]) <= 1)


def worker_of(folder, job):
    for pid in workers(folder.data):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue    # it has ended meanwhile, as another job's may
        if b"--job" in words and words[words.index(b"--job") + 1] == str(job).encode():
            return pid
    return None


def stuck(job):
    return job["waiting"] is not None and job["waiting"]["code"] == "unkillable"


def check_stuck(daemon, bin_folder, folder, job, pid):
    """Nobody says that it has gone, or that it soon will."""
    found = daemon.wait_until(job, stuck, limit_s=60)
    assert found["state"] == "stopping", found
    text = found["waiting"]["text"]
    assert "the process cannot be killed (D state)" in text and str(pid) in text, text
    gates = daemon.get(f"/api/v1/jobs/{job}/why")["gates"]
    assert [gate["code"] for gate in gates] == ["unkillable"] and gates[0]["text"] == text, gates
    shown = subprocess.run([os.path.join(bin_folder, "nightshift"), "--data", folder.data, "why", str(job)],
                           stdout=subprocess.PIPE, timeout=60, check=True).stdout.decode()
    assert "(D state)" in " ".join(shown.split()), shown


def test_nothing_that_hides_survives_its_job(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon, \
            StuckFolder(os.path.join(folder.root, "멈춘 폴더")) as hole:
        cancelled = Zoo(daemon, folder, "cancelled", "loner")
        orphaned = Zoo(daemon, folder, "orphaned")
        look = ("import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                "os.stat(os.path.join(sys.argv[1], os.environ['NIGHTSHIFT_JOB_ID']))")
        hung = [daemon.command(sys.executable, "-c", look, hole.path, vram="3GiB", cpu=0) for _ in range(2)]
        for zoo in (cancelled, orphaned):
            zoo.open()
        wait_for(lambda: hole.lookups == 2, what="the processes in the kernel")
        commands = [child_of(worker_of(folder, job)) for job in hung]
        for job in (cancelled.job, *hung):
            daemon.post(f"/api/v1/jobs/{job}/cancel")

        # Its worker dies, so the daemon has to find everybody by itself.
        os.kill(worker_of(folder, orphaned.job), signal.SIGKILL)
        done = daemon.finish(orphaned.job)
        assert done["state"] == "failed" and done["outcome"]["code"] == "lost", done
        assert not orphaned.left(), orphaned.left()

        done = daemon.finish(cancelled.job)
        assert done["state"] == "cancelled" and done["outcome"]["signal"] == signal.SIGKILL, done
        assert not cancelled.left(), cancelled.left()

        for job, pid in zip(hung, commands):
            check_stuck(daemon, bin_folder, folder, job, pid)
            assert state_of(pid) == "D", state_of(pid)
        assert "process_unkillable" in daemon.log_tail() and "state=D" in daemon.log_tail(), daemon.log_tail()
        large = daemon.sleep_job(0, vram="4GiB")
        check_booked(daemon, large)
        # A worker that is gone changes nothing, nor does a daemon that knows them from before only.
        os.kill(worker_of(folder, hung[1]), signal.SIGKILL)
        daemon.kill()
        daemon.start()
        for job, pid in zip(hung, commands):
            check_stuck(daemon, bin_folder, folder, job, pid)
        check_booked(daemon, large)
        hole.let_go()
        for job in hung:
            done = daemon.finish(job)
            assert done["state"] == "cancelled" and done["attempt"] == 1, done
            assert done["waiting"] is None, done
            kinds = [event["kind"] for event in daemon.events(job)]
            assert kinds.count("cancelled") == 1 and "unkillable" in kinds, kinds
        assert daemon.finish(large)["state"] == "succeeded"
        wait_for(lambda: not workers(folder.data), what="the end of the workers")
        with read_only(folder) as database:
            assert broken_invariants(database) == []


def check_booked(daemon, waiting):
    """Both of 3 GiB are held for processes that cannot be killed."""
    gates = daemon.get(f"/api/v1/jobs/{waiting}/why")["gates"]
    held = [gate["detail"]["held"] for gate in gates if gate["code"].startswith("vram")]
    assert held == [6 * GIB], gates


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])


# --- fork bombs -----------------------------------------------------------------------------------

# Forks until argv[1] processes were made in all, or for ever without it; each of them stays and forks on.
BOMB = r"""
import mmap, os, signal, struct, sys, time
most = int(sys.argv[1]) if len(sys.argv) > 1 else sys.maxsize
shared = mmap.mmap(-1, 8)
signal.signal(signal.SIGTERM, signal.SIG_IGN)

def may_fork():
    # Not exact, and need not be: each process adds at most one too many.
    made = struct.unpack('q', shared[:8])[0]
    shared[:8] = struct.pack('q', made + 1)
    return made < most

while True:
    if not may_fork():
        time.sleep(1000)
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        time.sleep(0.01)    # as many as there may be; the next one that dies makes room
"""

# A chain in which every link that sees its child die makes another one: argv[1] deep, argv[2] times in all.
HYDRA = r"""
import mmap, os, signal, struct, sys, time
deep, most = int(sys.argv[1]), int(sys.argv[2])
shared = mmap.mmap(-1, 8)
while True:
    made = struct.unpack('q', shared[:8])[0]
    if deep == 0 or made >= most:
        if deep == 0 and made <= int(sys.argv[1]):
            open(os.path.join(os.environ['NIGHTSHIFT_OUTPUT'], 'whole'), 'w').close()
        time.sleep(1000)
    shared[:8] = struct.pack('q', made + 1)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.setsid()
        deep -= 1
    else:
        os.waitpid(child, 0)
"""


def marked(folder, job):
    """Processes that carry the job's mark, whoever their parent is now."""
    mark = f"NIGHTSHIFT_OUTPUT={folder.data}/jobs/{job}/1/output".encode()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0") and is_there(name):
                    found.append(int(name))
        except OSError:
            continue
    return found


class ControlGroup:
    """A control group in which at most so many processes may be, of either version of the hierarchy."""

    def __init__(self, processes_max):
        self.processes_max, self.path = processes_max, None

    def __enter__(self):
        tried = []
        for above in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
            path = os.path.join(above, f"nightshift-test-{os.getpid()}-{time.monotonic_ns()}")
            try:
                os.mkdir(path)
                with open(os.path.join(path, "pids.max"), "w", encoding="ascii") as file:
                    file.write(str(self.processes_max))
                self.path = path
                return self
            except OSError as error:
                tried.append(str(error))
                if os.path.isdir(path):
                    os.rmdir(path)
        raise Skip("no control group may be made here: " + "; ".join(tried))

    def pids(self):
        with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]

    def __exit__(self, *_):
        wait_for(lambda: not self.pids(), what="the end of the control group")
        os.rmdir(self.path)


def check_bomb(daemon, folder, bomb, is_large):
    """The bomb is cancelled when it is large: nothing of it is left at its end, and nobody else noticed."""
    neighbour = daemon.command("sleep", "1000", cpu=0)
    daemon.wait_state(neighbour, "running")
    wait_for(lambda: is_large(bomb), what="a bomb of that size", limit_s=60)
    assert daemon.get("/api/v1/status")
    daemon.post(f"/api/v1/jobs/{bomb}/cancel")
    done = daemon.finish(bomb, limit_s=90)
    left = marked(folder, bomb)
    assert done["state"] == "cancelled" and left == [], (done, left)
    assert daemon.job(neighbour)["state"] == "running"
    daemon.post(f"/api/v1/jobs/{neighbour}/cancel")
    daemon.finish(neighbour)


def test_a_fork_bomb_leaves_nothing_and_disturbs_nobody(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        bomb = daemon.command(sys.executable, "-c", BOMB, "300", cpu=0)
        check_bomb(daemon, folder, bomb, lambda job: len(marked(folder, job)) >= 250)


def test_a_fork_bomb_without_end_is_held_by_its_control_group_and_leaves_nothing(bin_folder):
    with Folder() as folder, ControlGroup(100) as group, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
        bomb = daemon.command("sh", "-c", enter, group.path, sys.executable, "-c", BOMB, cpu=0)
        check_bomb(daemon, folder, bomb, lambda job: len(group.pids()) >= 100)
        assert group.pids() == []


def test_what_grows_again_when_it_is_killed_is_gone(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = [daemon.command(sys.executable, "-c", HYDRA, "40", "4000", cpu=0) for _ in range(2)]
        for job in jobs:
            whole = os.path.join(folder.data, "jobs", str(job), "1", "output", "whole")
            wait_for(lambda: os.path.exists(whole), what="the whole chain")
            assert len(marked(folder, job)) >= 40
        # One is ended by its worker, one by the daemon alone.
        daemon.post(f"/api/v1/jobs/{jobs[0]}/cancel")
        os.kill(worker_of(folder, jobs[1]), signal.SIGKILL)
        assert daemon.finish(jobs[1], limit_s=40)["outcome"]["code"] == "lost"
        assert marked(folder, jobs[1]) == []
        assert daemon.finish(jobs[0], limit_s=40)["state"] == "cancelled"
        assert marked(folder, jobs[0]) == []


# --- what a job may hold --------------------------------------------------------------------------

def handles_of(pid):
    return {int(name): os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}


def test_a_program_holds_nothing_of_the_daemon_or_of_its_neighbours(bin_folder):
    with Folder() as folder, open(os.path.join(folder.root, "left open"), "wb") as forgotten, \
            Daemon(bin_folder, folder, *SIMULATE, inherits=(forgotten.fileno(),)) as daemon:
        jobs = [daemon.command("sleep", "1000", cpu=0) for _ in range(3)]
        native = daemon.sleep_job(1000, cpu=0)
        for job in (*jobs, native):
            daemon.wait_state(job, "running")
        of_daemon = set(handles_of(daemon.process.pid).values())
        assert {forgotten.name, os.path.join(folder.data, "nightshift.db")} <= of_daemon, of_daemon
        assert listening_socket(daemon) in of_daemon, of_daemon
        seen = set()
        for job in (*jobs, native):
            worker = worker_of(folder, job)
            held = handles_of(worker)
            log = os.path.join(folder.data, "jobs", str(job), "1", "stdout.log")
            assert (held[0], held[1], held[2]) == ("/dev/null", log, log), held
            shared = of_daemon & set(held.values()) - {"/dev/null"}
            assert not {name for name in shared if not name.startswith("anon_inode:")}, shared
            files = [name for name in held.values() if name.startswith(folder.root)]
            assert set(files) <= {log, os.path.join(os.path.dirname(log), "progress.jsonl")}, files
            assert sum(name.startswith("socket:") for name in held.values()) == 1, held
            if job == native:
                continue
            program = handles_of(child_of(worker))
            assert set(program) == {0, 1, 2} and program[0] == "/dev/null", program
            # Its log, or a pipe of its own that ends in its worker.
            assert program[1] == program[2] and program[1] in held.values(), program
            assert program[1] not in seen, program
            seen.add(program[1])
        for job in (*jobs, native):
            daemon.post(f"/api/v1/jobs/{job}/cancel")
            assert daemon.finish(job)["state"] in TERMINAL


def listening_socket(daemon):
    """The daemon's socket of HTTP, as /proc/PID/fd shows it."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            words = line.split()
            if words[1] == f"0100007F:{daemon.port:04X}" and words[3] == "0A":
                return f"socket:[{words[9]}]"
    raise AssertionError("nobody listens")


run([value for name, value in list(globals().items()) if name.startswith("test_")])
