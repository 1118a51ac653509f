#!/usr/bin/env python3
"""Jobs that run out of GPU memory, and victims that do not yield as asked: the real daemon with
tests/support/fake_nvml as its libnvidia-ml.so.1. Needs no GPU.
"""

import os
import signal
import subprocess
import sys

from fake_driver import GIB, MIB, FakeDriver, GpuDaemon, Held, quick_grace, worker_pid
from harness import INSIDE, Folder, in_own_mount, run, wait_for

# --- out of memory ----------------------------------------------------------------------------------

def out_of_memory_once(bin_folder, words, code):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            neighbour = daemon.start_held(folder, vram="2GiB")
            job = daemon.start_held(folder, vram="2GiB", words=words)
            pid = neighbour.pid()
            driver.memory({pid: 2 * GIB, job.pid(): 2 * GIB + 500 * MIB})
            driver.seen()
            job.end(code, attempt=1)
            daemon.wait_until(job.id, lambda found: found["attempt"] == 2 or found["ended_at"])
            driver.memory({pid: 2 * GIB})
            job.started(attempt=2)
            found = daemon.job(job.id)
            # max(1.25 x 2 GiB, 1.1 x 2.49 GiB), in whole MiB.
            assert found["vram"] == -(-(2 * GIB + 500 * MIB) * 11 // (10 * MIB)) * MIB, found
            assert found["retries_left"] == 0 and found["preemptions"] == 0, found
            retrying = next(event for event in daemon.events(job.id) if event["kind"] == "retrying")
            assert retrying["data"]["vram"] == found["vram"], retrying
            job.end(code, attempt=2)
            done = daemon.finish(job.id)
            assert done["state"] == "failed" and done["outcome"]["code"] == "out_of_memory", done
            assert done["attempt"] == 2 and "vram" in done["outcome"]["message"], done
            kept = daemon.job(neighbour.id)
            assert kept["state"] == "running" and kept["attempt"] == 1 and neighbour.pid() == pid, kept
            kinds = daemon.kinds(neighbour.id)
            assert kinds == ["submitted", "starting", "started"], kinds


def test_out_of_memory_by_exit_code_is_tried_once_with_more(bin_folder):
    out_of_memory_once(bin_folder, "", 86)


def test_out_of_memory_by_its_words_is_tried_once_with_more(bin_folder):
    out_of_memory_once(bin_folder, "torch.OutOfMemoryError: CUDA out of memory. Tried 2.00 GiB.", 1)


def test_out_of_memory_with_all_that_can_be_had_fails_at_once(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            job = daemon.start_held(folder, vram=8 * GIB - 512 * MIB)
            job.end(86)
            done = daemon.finish(job.id)
            assert done["state"] == "failed" and done["outcome"]["code"] == "out_of_memory", done
            assert done["attempt"] == 1, done


# --- victims ------------------------------------------------------------------------------------------

def checkpoints(folder, job, attempt):
    """Committed checkpoints of an attempt, oldest first."""
    path = os.path.join(folder.data, "jobs", str(job), str(attempt), "checkpoint")
    return sorted(os.path.join(path, name) for name in os.listdir(path) if "-step-" in name)


def truncate_inside(checkpoint):
    with open(os.path.join(checkpoint, "elapsed.json"), "r+b") as file:
        file.truncate(3)


def refusals(daemon, job):
    """Names of the checkpoints that were found damaged, once each."""
    return [os.path.basename(event["data"]["path"]) for event in daemon.events(job)
            if event["kind"] == "checkpoint_refused"]


def log_of(daemon, job, attempt):
    return daemon.get(f"/api/v1/jobs/{job}/log?attempt={attempt}").decode()


def test_a_deaf_victim_is_killed_and_goes_on_from_the_last_good_checkpoint(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver, *quick_grace(folder)) as daemon:
            victim = daemon.submit("sleep", params={"seconds": 600, "checkpoint_every": 0.2}, vram="5GiB",
                                   **{"class": "training"})
            daemon.wait_until(victim, lambda job: len(checkpoints_if_any(folder, victim)) == 2)
            pid = worker_pid(daemon, victim)
            driver.memory({pid: 5 * GIB})
            driver.seen()
            os.kill(pid, signal.SIGSTOP)                  # it hears nothing
            urgent = Held(daemon, folder, vram="5GiB", **{"class": "inference"})
            daemon.wait_until(victim, lambda job: job["state"] == "waiting")
            assert daemon.kinds(victim)[-3:] == ["yielding", "stopping", "preempted"], daemon.kinds(victim)
            driver.memory()
            urgent.started()
            *_, older, newest = checkpoints(folder, victim, 1)   # it may not have forgotten a third yet
            truncate_inside(newest)
            urgent.end()
            daemon.wait_until(victim, lambda job: job["state"] == "running" and job["attempt"] == 2)
            wait_for(lambda: "goes on from" in log_of(daemon, victim, 2), what="the way back")
            log = log_of(daemon, victim, 2)
            assert f"checkpoint {os.path.basename(newest)} refused" in log, log
            assert f"goes on from checkpoint {os.path.basename(older)}" in log, log
            assert refusals(daemon, victim) == [os.path.basename(newest)]
            # The second attempt saves, and all that it saved is spoilt: the first one's is still good.
            daemon.wait_until(victim, lambda job: len(checkpoints_if_any(folder, victim, 2)) == 2)
            daemon.post("/api/v1/queue/pause")
            daemon.post(f"/api/v1/jobs/{victim}/preempt")
            daemon.wait_state(victim, "waiting")
            for spoilt in checkpoints(folder, victim, 2):
                truncate_inside(spoilt)
            daemon.post("/api/v1/queue/resume")
            daemon.wait_until(victim, lambda job: job["state"] == "running" and job["attempt"] == 3)
            wait_for(lambda: "goes on from" in log_of(daemon, victim, 3), what="the way back")
            log = log_of(daemon, victim, 3)
            assert log.count("refused") == 3, log
            assert len(refusals(daemon, victim)) == 3    # that of the first attempt is known already
            assert f"goes on from checkpoint {os.path.basename(older)}" in log, log


def checkpoints_if_any(folder, job, attempt=1):
    try:
        return checkpoints(folder, job, attempt)
    except FileNotFoundError:
        return []


def inside_full_checkpoint_disk(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver, *quick_grace(folder)) as daemon:
            victim = daemon.submit("sleep", params={"seconds": 600, "checkpoint_every": 0.2}, vram="5GiB",
                                   hold=True, **{"class": "training"})
            disk = os.path.join(folder.data, "jobs", str(victim), "1", "checkpoint")
            os.makedirs(disk)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
            try:
                daemon.post(f"/api/v1/jobs/{victim}/release")
                daemon.wait_until(victim, lambda job: len(checkpoints_if_any(folder, victim)) == 2)
                with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
                    try:
                        while True:
                            filler.write(b"\0" * 4096)
                    except OSError:
                        pass
                # A checkpoint that finds no room costs nothing but itself.
                wait_for(lambda: "not saved" in log_of(daemon, victim, 1), what="a checkpoint without room")
                good = [os.path.basename(path) for path in checkpoints(folder, victim, 1)]
                assert daemon.job(victim)["state"] == "running" and good, daemon.job(victim)
                daemon.post("/api/v1/queue/pause")
                daemon.post(f"/api/v1/jobs/{victim}/preempt")
                daemon.wait_state(victim, "waiting")       # it could not save, and had to go all the same
                os.unlink(os.path.join(disk, "filler"))
                daemon.post("/api/v1/queue/resume")
                daemon.wait_until(victim, lambda job: job["state"] == "running" and job["attempt"] == 2)
                wait_for(lambda: "goes on from" in log_of(daemon, victim, 2), what="the way back")
                assert f"goes on from checkpoint {good[-1]}" in log_of(daemon, victim, 2)
            finally:
                subprocess.run(["umount", "-l", disk], check=False)


def test_a_victim_whose_checkpoint_finds_no_room_goes_on_from_the_last_good_one(bin_folder):
    in_own_mount(__file__, "inside_full_checkpoint_disk")


if INSIDE in sys.argv:
    globals()[sys.argv[2]](sys.argv[3])
else:
    run([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=4)
