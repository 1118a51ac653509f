#!/usr/bin/env python3
"""Attempts as processes: adoption, sudden deaths, cancels and preemption."""

import os
import signal
import sqlite3
import subprocess

from harness import Daemon, Folder, run, session_of, wait_for, workers

SIMULATE = ("--simulate", "gpu=8GiB")


def only_worker(folder):
    return wait_for(lambda: workers(folder.data), what="a worker")[0]


def are_gone(pids):
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_adoption_keeps_pids_and_the_log(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        script = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.01; done"
        job = daemon.command("sh", "-c", script)
        daemon.wait_state(job, "running")
        pids = sorted(session_of(only_worker(folder)))
        for _ in range(3):
            daemon.kill()
            daemon.start()
            assert daemon.job(job)["attempt"] == 1
        now = sorted(session_of(only_worker(folder))) if workers(folder.data) else pids
        assert set(pids[:1]) <= set(now), (pids, now)
        done = daemon.finish(job)
        assert done["state"] == "succeeded", done
        log = daemon.get(f"/api/v1/jobs/{job}/log")
        assert log.split() == " ".join(f"line {i}" for i in range(200)).encode().split(), log[-200:]
        kinds = [event["kind"] for event in daemon.events(job)]
        assert kinds.count("succeeded") == 1 and kinds.count("started") == 1, kinds


def test_a_killed_worker_is_noticed_and_retried_by_its_policy(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", "sleep 1000 & sleep 1000", retries=1)
        daemon.wait_state(job, "running")
        worker = only_worker(folder)
        wait_for(lambda: len(session_of(worker)) >= 3, what="the command")
        group = session_of(worker)
        os.kill(worker, signal.SIGKILL)
        waiting = daemon.wait_state(job, "waiting", limit_s=10)
        assert waiting["retries_left"] == 0, waiting
        wait_for(lambda: are_gone(group), what="the end of the group")
        why = daemon.get(f"/api/v1/jobs/{job}/why")
        assert any(gate["code"] == "retry_backoff" for gate in why["gates"]), why
        daemon.post(f"/api/v1/jobs/{job}/cancel")


def test_a_killed_worker_without_retries_fails_as_lost(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sleep", "1000")
        daemon.wait_state(job, "running")
        os.kill(only_worker(folder), signal.SIGKILL)
        done = daemon.finish(job, limit_s=10)
        assert done["state"] == "failed" and done["outcome"]["code"] == "lost", done
        assert "signal 9" in done["outcome"]["message"], done


def test_daemon_and_worker_killed_together(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", "sleep 1000 & sleep 1000")
        daemon.wait_state(job, "running")
        worker = only_worker(folder)
        daemon.kill()
        os.kill(worker, signal.SIGKILL)
        daemon.start()
        done = daemon.finish(job, limit_s=10)
        assert done["state"] == "failed" and done["outcome"]["code"] == "lost", done
        wait_for(lambda: not session_of(worker), what="the end of the group")


def test_a_restart_of_the_machine_costs_no_retry(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        flag = os.path.join(folder.root, "second")
        job = daemon.command("sh", "-c", f'[ -e "{flag}" ] || sleep 1000')
        daemon.wait_state(job, "running")
        worker = only_worker(folder)
        daemon.kill()
        os.kill(worker, signal.SIGKILL)
        # As if both had run before the last start of the machine.
        database = sqlite3.connect(os.path.join(folder.data, "nightshift.db"))
        with database:
            database.execute("UPDATE attempt SET worker_boot = 'before'")
            database.execute("UPDATE setting SET value = 'before' WHERE name = 'boot_id'")
        database.close()
        open(flag, "w").close()
        daemon.start()
        done = daemon.finish(job)
        assert done["state"] == "succeeded" and done["attempt"] == 2, done
        for pid in session_of(worker):
            os.kill(pid, signal.SIGKILL)


def test_cancel_kills_the_whole_group(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        script = "trap '' TERM INT; (sleep 1000; true) & (trap '' TERM; sleep 1000) & wait; wait; sleep 1000"
        job = daemon.command("sh", "-c", script)
        daemon.wait_state(job, "running")
        worker = only_worker(folder)
        wait_for(lambda: len(session_of(worker)) >= 4, what="the command")
        group = session_of(worker)
        daemon.post(f"/api/v1/jobs/{job}/cancel")
        done = daemon.finish(job, limit_s=40)
        assert done["state"] == "cancelled", done
        wait_for(lambda: are_gone(group), what="the end of the group")


def test_cancel_of_a_waiting_job_and_of_its_children(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        parent = daemon.sleep_job(0, hold=True)
        child = daemon.sleep_job(0, after=[parent])
        daemon.post(f"/api/v1/jobs/{parent}/cancel")
        assert daemon.finish(parent)["state"] == "cancelled"
        assert daemon.finish(child)["state"] == "skipped"


def test_time_limit_ends_a_job(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sleep", "1000", time_limit="1s")
        done = daemon.finish(job, limit_s=40)
        assert done["state"] == "failed" and done["outcome"]["code"] == "time_limit", done


def test_inference_preempts_and_the_victim_resumes(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        victim = daemon.sleep_job(4, **{"class": "training"}, vram="6GiB", checkpoint="worker")
        daemon.wait_state(victim, "running")
        urgent = daemon.sleep_job(0, **{"class": "inference"}, vram="6GiB")
        assert daemon.finish(urgent)["state"] == "succeeded"
        done = daemon.finish(victim)
        assert done["state"] == "succeeded" and done["preemptions"] == 1 and done["attempt"] == 2, done
        kinds = [event["kind"] for event in daemon.events(victim)]
        for kind in ("yielding", "checkpoint", "preempted", "succeeded"):
            assert kind in kinds, kinds
        assert kinds.index("checkpoint") < kinds.index("preempted") < kinds.index("succeeded"), kinds


def test_preemption_survives_a_kill_of_the_daemon(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        victim = daemon.sleep_job(4, **{"class": "training"}, vram="6GiB", checkpoint="worker")
        daemon.wait_state(victim, "running")
        urgent = daemon.sleep_job(0, **{"class": "inference"}, vram="6GiB")
        daemon.wait_state(victim, "yielding", "waiting", "running")
        daemon.kill()
        daemon.start()
        assert daemon.finish(urgent)["state"] == "succeeded"
        assert daemon.finish(victim)["state"] == "succeeded"


def test_more_than_the_budget_is_counted_and_told(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        greedy = daemon.submit("sleep", params={"seconds": 20, "allocate": 3 << 30}, vram="1GiB")
        daemon.wait_state(greedy, "running")
        wait_for(lambda: "over_budget" in [event["kind"] for event in daemon.events(greedy)],
                 what="the event")
        large = daemon.sleep_job(0, vram="6GiB")
        why = daemon.get(f"/api/v1/jobs/{large}/why")
        vram = next(gate for gate in why["gates"] if gate["code"].startswith("vram"))
        assert vram["detail"]["held"] == 3 << 30, why
        daemon.post(f"/api/v1/jobs/{greedy}/cancel")
        assert daemon.finish(large)["state"] == "succeeded"


def test_a_worker_that_cannot_be_started_fails_its_job(bin_folder):
    with Folder() as folder:
        link = os.path.join(folder.root, "worker")
        os.symlink(os.path.join(bin_folder, "nightshift-worker"), link)
        with Daemon(bin_folder, folder, *SIMULATE, environment={"NIGHTSHIFT_WORKER": link}) as daemon:
            os.unlink(link)
            done = daemon.finish(daemon.sleep_job(0))
            assert done["state"] == "failed" and done["outcome"]["code"] == "spawn_error", done


def test_an_unknown_cpu_variant_ends_the_worker_in_words(bin_folder):
    with Folder() as folder:
        command = [os.path.join(bin_folder, "nightshift-worker"), "run", "sleep", "--device", "cpu",
                   "--params", '{"seconds": 0}', "--out", os.path.join(folder.root, "out")]
        for word, code in (("avx3", 64), ("scalar", 0)):
            environment = dict(os.environ, NIGHTSHIFT_CPU=word)
            done = subprocess.run(command, env=environment, capture_output=True, timeout=60)
            assert done.returncode == code, done
            assert (b'NIGHTSHIFT_CPU is "avx3"' in done.stderr) == (code != 0), done


def test_jobs_inherit_no_descriptors(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", "ls -l /proc/self/fd")
        assert daemon.finish(job)["state"] == "succeeded"
        log = daemon.get(f"/api/v1/jobs/{job}/log").decode()
        assert "socket:" not in log and "nightshift.db" not in log, log


run([value for name, value in list(globals().items()) if name.startswith("test_")])
