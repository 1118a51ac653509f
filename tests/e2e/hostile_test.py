#!/usr/bin/env python3
"""Programs that are up to no good, and what none of them may hold."""

import os

from harness import TERMINAL, Daemon, Folder, run, workers

SIMULATE = ("--simulate", "gpu=8GiB")


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
