#!/usr/bin/env python3
"""The daemon as a process: start, refusals, stop, and what stays on the disk."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
import threading

from harness import Daemon, Folder, Skip, run, wait_for, workers

SIMULATE = ("--simulate", "gpu=8GiB")


def start_refused(bin_folder, folder, *arguments):
    """Exit code and words of a daemon that does not start."""
    done = subprocess.run(
        [os.path.join(bin_folder, "nightshiftd"), "--data", folder.data, *arguments],
        capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_first_start_makes_its_files(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        assert daemon.instance["pid"] == daemon.process.pid
        assert stat.S_IMODE(os.stat(folder.data).st_mode) == 0o700
        for name in ("auth.hdr", "operator.hdr", "viewer.hdr", "nightshift.db", "instance.json",
                     "policy.json"):
            mode = stat.S_IMODE(os.stat(os.path.join(folder.data, name)).st_mode)
            assert mode & 0o077 == 0, f"{name} has mode {mode:o}"
        assert daemon.get("/api/v1/status")["simulated"] is True
        assert daemon.stop() == 0
        assert not os.path.exists(os.path.join(folder.data, "instance.json"))


def test_jobs_and_tokens_survive_a_restart(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            done = daemon.finish(daemon.sleep_job(0))
            assert done["state"] == "succeeded", done
            held = daemon.sleep_job(0, hold=True, name="기다리는 일")
            header = daemon.header
            daemon.stop()
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            assert daemon.header == header
            assert daemon.job(done["id"]) == done
            assert daemon.job(held)["name"] == "기다리는 일"
            assert daemon.job(held)["state"] == "waiting"


def test_second_daemon_on_the_folder_exits_69(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        code, words = start_refused(bin_folder, folder, "--listen", "127.0.0.1:0")
        assert code == 69 and "Another nightshiftd" in words, (code, words)
        daemon.get("/api/v1/status")


def test_taken_port_exits_69(bin_folder):
    with Folder() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, words = start_refused(bin_folder, folder, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        assert code == 69, (code, words)


def test_newer_schema_exits_78_and_is_not_touched(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            daemon.stop()
        path = os.path.join(folder.data, "nightshift.db")
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA user_version = 9999")
        database.close()
        with open(path, "rb") as file:
            before = file.read()
        code, words = start_refused(bin_folder, folder, "--listen", "127.0.0.1:0")
        assert code == 78 and "newer" in words, (code, words)
        with open(path, "rb") as file:
            assert file.read() == before


def test_bad_permissions_exit_78_and_say_how_to_mend(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            daemon.stop()
        os.chmod(folder.data, 0o755)
        code, words = start_refused(bin_folder, folder, "--listen", "127.0.0.1:0")
        assert code == 78 and "chmod 700" in words, (code, words)
        os.chmod(folder.data, 0o700)
        os.chmod(os.path.join(folder.data, "viewer.hdr"), 0o644)
        code, words = start_refused(bin_folder, folder, "--listen", "127.0.0.1:0")
        assert code == 78 and "chmod 600" in words, (code, words)


def test_bad_arguments_and_policy_exit_64(bin_folder):
    with Folder() as folder:
        for arguments in (["--nonsense"], ["--listen", "somewhere"], ["--simulate", "gpu=much"],
                          ["--log-level", "loud"], ["--listen", "0.0.0.0:0"]):
            code, words = start_refused(bin_folder, folder, *arguments)
            assert code == 64 and words, (arguments, code, words)
        policy = os.path.join(folder.root, "policy.json")
        with open(policy, "w", encoding="utf-8") as file:
            json.dump({"limits": {"runing": 3}}, file)
        code, words = start_refused(bin_folder, folder, "--listen", "127.0.0.1:0", "--policy", policy)
        assert code == 64 and "running" in words, (code, words)


def test_environment_stands_in_for_arguments(bin_folder):
    with Folder() as folder:
        environment = {"NIGHTSHIFT_SIMULATE": "gpu=3GiB,gpu=5GiB,temp=70"}
        with Daemon(bin_folder, folder, environment=environment) as daemon:
            gpus = daemon.get("/api/v1/gpu")
            text = json.dumps(gpus)
            assert str(3 << 30) in text and str(5 << 30) in text, gpus


def test_stop_leaves_jobs_running_for_the_next_daemon(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            gate = os.path.join(folder.root, "gate")
            script = f'echo began; while [ ! -e "{gate}" ]; do sleep 0.05; done; echo ended'
            job = daemon.command("sh", "-c", script)
            daemon.wait_state(job, "running")
            before = workers(folder.data)
            assert len(before) == 1
            assert daemon.stop() == 0
            assert workers(folder.data) == before
            daemon.start()
            assert workers(folder.data) == before
            assert daemon.job(job)["state"] == "running"
            open(gate, "w").close()
            done = daemon.finish(job)
            assert done["state"] == "succeeded" and done["attempt"] == 1, done


def test_a_job_that_ended_while_no_daemon_ran_is_recorded_once(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            gate = os.path.join(folder.root, "gate")
            job = daemon.command("sh", "-c", f'while [ ! -e "{gate}" ]; do sleep 0.05; done; exit 3')
            daemon.wait_state(job, "running")
            daemon.kill()
            open(gate, "w").close()
            result = os.path.join(folder.data, "jobs", str(job), "1", "result.json")
            wait_for(lambda: os.path.exists(result), what="result.json")
            daemon.start()
            done = daemon.finish(job)
            assert done["state"] == "failed" and done["outcome"]["exit_code"] == 3, done
            assert [event["kind"] for event in daemon.events(job)].count("failed") == 1


def test_submits_of_many_connections_share_commits(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        daemon.post("/api/v1/queue/pause", {"reason": "counting"})
        ids, errors = [], []

        def submit():
            try:
                for _ in range(10):
                    ids.append(daemon.sleep_job(0))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=submit) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        assert sorted(ids) == list(range(min(ids), min(ids) + 120))
        daemon.kill()   # an answer was a promise: no clean stop is needed to keep it
        daemon.start()
        stored = daemon.get("/api/v1/jobs?state=waiting&limit=200")["jobs"]
        assert sorted(job["id"] for job in stored) == sorted(ids)


def test_an_idempotency_key_makes_one_job(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        body = {"kind": "sleep", "hold": True}
        headers = {"Idempotency-Key": "밤 1".encode().hex()}
        first = daemon.post("/api/v1/jobs", body, headers=headers)["id"]
        assert daemon.post("/api/v1/jobs", body, headers=headers)["id"] == first
        daemon.kill()
        daemon.start()
        assert daemon.post("/api/v1/jobs", body, headers=headers)["id"] == first


def test_down_lets_jobs_save_and_stops(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            job = daemon.sleep_job(60, vram="1GiB")
            daemon.wait_state(job, "running")
            daemon.post("/api/v1/shutdown", {"yield_jobs": True})
            assert daemon.process.wait(30) == 0
            assert workers(folder.data) == []
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            again = daemon.wait_state(job, "running")
            assert again["attempt"] == 2 and again["retries_left"] == 0, again
            daemon.post(f"/api/v1/jobs/{job}/cancel")
            daemon.finish(job)


def test_a_full_disk_refuses_submits_and_loses_nothing(bin_folder):
    with Folder() as folder:
        os.mkdir(folder.data, 0o700)
        mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs", folder.data]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            raise Skip("a small disk needs the right to mount one")
        try:
            with Daemon(bin_folder, folder, *SIMULATE) as daemon:
                daemon.post("/api/v1/queue/pause", {"reason": "filling the disk"})
                running_out = {"kind": "command", "command": ["true"], "env": {"TEXT": "x" * 30000}}
                ids, refused = [], None
                for _ in range(1000):
                    status, answer = daemon.request("POST", "/api/v1/jobs", running_out)
                    if status != 201:
                        refused = (status, answer)
                        break
                    ids.append(answer["id"])
                assert refused and refused[0] == 507 and "disk_low" in json.dumps(refused[1]), refused
                assert ids
                assert daemon.get("/api/v1/status")["ready"] is True
                stored = {job: daemon.job(job)["state"] for job in ids}
                assert set(stored.values()) == {"waiting"}
                subprocess.run(["mount", "-o", "remount,size=128m", folder.data], check=True)
                wait_for(lambda: daemon.request("POST", "/api/v1/jobs", running_out)[0] == 201,
                         what="a submit that is taken again")
                daemon.kill()
                daemon.start()
                assert {job: daemon.job(job)["state"] for job in ids} == stored
        finally:
            subprocess.run(["umount", "-l", folder.data], check=False)


def test_a_schedule_fires_its_chain_and_survives_a_restart(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        chain = [{"kind": "sleep", "params": {"seconds": 0}, "name": "first"},
                 {"kind": "sleep", "params": {"seconds": 0}, "name": "second", "after": ["job:#0"]}]
        daemon.post("/api/v1/schedules", {"name": "nightly", "cron": "0 22 * * *", "timezone": "Asia/Seoul",
                                          "jobs": chain})
        daemon.kill()
        daemon.start()
        fires = daemon.get("/api/v1/schedules/nightly/next?count=3")["next"]
        assert len(fires) == 3 and all(fire["utc"][11:16] == "13:00" for fire in fires), fires
        made = daemon.post("/api/v1/schedules/nightly/run")
        ids = [job if isinstance(job, int) else job["id"] for job in made["jobs"]]
        first, second = (daemon.finish(job) for job in ids)
        assert (first["state"], second["state"]) == ("succeeded", "succeeded"), (first, second)
        assert second["after"] and first["schedule"] == "nightly", (first, second)


def test_it_links_neither_torch_nor_cuda(bin_folder):
    listing = subprocess.run(["readelf", "-d", os.path.join(bin_folder, "nightshiftd")], capture_output=True,
                             text=True, check=True).stdout
    needed = [line for line in listing.splitlines() if "NEEDED" in line]
    assert needed
    for word in ("torch", "c10", "cuda", "nvidia", "cublas", "arrow"):
        assert not any(word in line for line in needed), (word, needed)


run([value for name, value in list(globals().items()) if name.startswith("test_")])
