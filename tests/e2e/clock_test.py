#!/usr/bin/env python3
"""The wall clock is set while jobs run, or while no daemon watches them: what a job is charged, and what it
is ended for, is the time that it ran."""

import os
import struct
import time

from harness import Daemon, Folder, run, wait_for, workers

SIMULATE = ("--simulate", "gpu=8GiB")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Clock:
    """The daemon's wall clock, which can be set."""

    def __init__(self, folder):
        self.path = os.path.join(folder.root, "시계")
        self.set(0)

    def set(self, shift_ms):
        # In place, and at once: the daemon has the file mapped.
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("=q", shift_ms))

    def environment(self):
        return {"NIGHTSHIFT_CLOCK_SHIFT": self.path}


def start_job(daemon, folder, name, **fields):
    """A job that ends with 0 as soon as there is a file of its name."""
    script = 'while ! [ -e "$0" ]; do sleep 0.05; done'
    return daemon.command("sh", "-c", script, os.path.join(folder.root, name), cpu=0, name=name, **fields)


def end_job(daemon, folder, job, name):
    open(os.path.join(folder.root, name), "w", encoding="ascii").close()
    return daemon.finish(job)


def check_charge(done, began):
    """No more than there was since `began`, whatever the clocks say; and it did run."""
    assert done["state"] == "succeeded", done
    assert 0 < done["run_time"] <= time.monotonic() - began, done


def test_a_job_is_charged_what_it_ran_whatever_the_clock_does(bin_folder):
    with Folder() as folder:
        clock, began = Clock(folder), time.monotonic()
        with Daemon(bin_folder, folder, *SIMULATE, environment=clock.environment()) as daemon:
            jobs = [(start_job(daemon, folder, name, time_limit="30m"), name) for name in ("하나", "둘")]
            for job, _ in jobs:
                daemon.wait_state(job, "running")
            for shift in (HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS):
                clock.set(shift)
                # A job that is submitted after the jump runs: the loop has seen the new time.
                assert daemon.finish(daemon.sleep_job(0))["state"] == "succeeded"
                for job, name in jobs:
                    found = daemon.job(job)
                    assert found["state"] == "running", (name, found)
            for job, name in jobs:
                check_charge(end_job(daemon, folder, job, name), began)


def test_an_adopted_job_is_not_ended_for_time_that_it_did_not_run(bin_folder):
    with Folder() as folder:
        clock, began = Clock(folder), time.monotonic()
        with Daemon(bin_folder, folder, *SIMULATE, environment=clock.environment()) as daemon:
            job = start_job(daemon, folder, "일", time_limit="30m")
            daemon.wait_state(job, "running")
            for shift in (DAY_MS, 0, HOUR_MS, -HOUR_MS, -DAY_MS):
                daemon.kill()
                clock.set(shift)
                daemon.start()
                assert daemon.finish(daemon.sleep_job(0))["state"] == "succeeded"
                assert daemon.job(job)["state"] == "running", daemon.job(job)
            done = end_job(daemon, folder, job, "일")
            check_charge(done, began)
            assert done["attempt"] == 1, done


def test_an_adopted_job_is_still_ended_for_time_that_it_did_run(bin_folder):
    with Folder() as folder:
        clock = Clock(folder)
        with Daemon(bin_folder, folder, *SIMULATE, environment=clock.environment()) as daemon:
            job = start_job(daemon, folder, "일", time_limit="6s")
            daemon.wait_state(job, "running")
            daemon.kill()
            clock.set(-DAY_MS)
            daemon.start()
            done = daemon.finish(job)
            assert done["state"] == "failed" and done["outcome"]["code"] == "time_limit", done
            assert done["run_time"] >= 6, done


def test_a_job_that_is_lost_without_a_witness_is_not_charged_for_the_clock(bin_folder):
    with Folder() as folder:
        clock, began = Clock(folder), time.monotonic()
        with Daemon(bin_folder, folder, *SIMULATE, environment=clock.environment()) as daemon:
            job = start_job(daemon, folder, "일")
            daemon.wait_state(job, "running")
            (worker,) = workers(folder.data)
            daemon.kill()
            os.kill(worker, 9)
            wait_for(lambda: not workers(folder.data), what="the end of the worker")
            clock.set(DAY_MS)
            daemon.start()
            done = daemon.finish(job)
            assert done["outcome"]["code"] == "lost", done
            assert done["run_time"] <= time.monotonic() - began, done


run([value for name, value in list(globals().items()) if name.startswith("test_")])
