#!/usr/bin/env python3
"""Programs that do not want to go: which hide, stop, are traced, or hang inside the kernel;
and what none of them may hold."""

import os
import signal
import subprocess
import sys

from harness import TERMINAL, Daemon, Folder, run, wait_for, workers
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
