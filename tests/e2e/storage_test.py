#!/usr/bin/env python3
"""What is stored, against everything that happens to disks: deleted, replaced, damaged, full and read-only
files, backups taken while jobs come in, and what a restore leaves.
"""

import http.client
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

from harness import INSIDE, Daemon, Folder, in_own_mount, run, wait_for

SIMULATE = ("--simulate", "gpu=8GiB")
DISK_MIB = 40


def cli(daemon, *arguments, expect=0):
    done = subprocess.run([os.path.join(daemon.bin, "nightshift"), "--data", daemon.folder.data, *arguments],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def held(daemon, name):
    return daemon.sleep_job(1, name=name, hold=True)


def refused(daemon, status, code):
    answer, body = daemon.request("POST", "/api/v1/jobs", {"kind": "sleep", "params": {"seconds": 1},
                                                           "hold": True})
    assert answer == status, (answer, body, daemon.log_tail())
    body = json.loads(body) if isinstance(body, bytes) else body
    assert body["code"] == code and body["hint"], body
    return body


def database(folder):
    return os.path.join(folder.data, "nightshift.db")


def names(daemon):
    found, cursor = [], ""
    while True:
        page = daemon.get("/api/v1/jobs?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        found += [(job["id"], job["name"]) for job in page["jobs"]]
        cursor = page["next"]
        if not cursor:
            return found


def test_the_self_check_names_every_promise(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        daemon.finish(daemon.sleep_job(0))
        answer = daemon.get("/api/v1/selfcheck")
        assert answer["ok"], [check for check in answer["checks"] if not check["ok"]]
        codes = {check["code"] for check in answer["checks"]}
        assert {f"I{n}" for n in range(1, 21)} | {"file", "tally"} <= codes, codes
        report = json.loads(cli(daemon, "doctor", "--deep", "-o", "json"))
        graded = {line["name"]: line["grade"] for line in report}
        assert graded["I7"] == "ok" and graded["file"] == "ok", graded
        with sqlite3.connect(database(folder), timeout=10) as stranger:
            stranger.execute("UPDATE tally SET count = count + 5")
        answer = daemon.get("/api/v1/selfcheck")
        assert not answer["ok"]
        broken = [check for check in answer["checks"] if not check["ok"]]
        assert [check["code"] for check in broken] == ["tally"] and broken[0]["remedy"], broken
        assert "tally" in cli(daemon, "doctor", "--deep", expect=1)


def test_a_backup_taken_while_jobs_come_in_restores_all_of_its_moment(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        acknowledged, stop = [], threading.Event()

        def submit():
            while not stop.is_set():
                acknowledged.append(held(daemon, f"job {len(acknowledged)}"))

        writer = threading.Thread(target=submit)
        writer.start()
        try:
            wait_for(lambda: len(acknowledged) > 30, what="jobs before the backup")
            before = list(acknowledged)
            made = daemon.post("/api/v1/backup", expect=(201,))
            seen = len(acknowledged)
            wait_for(lambda: len(acknowledged) > seen + 30, what="jobs after the backup")
        finally:
            stop.set()
            writer.join()
        assert [b["name"] for b in daemon.get("/api/v1/backup")["backups"]] == [made["name"]]
        assert made["name"] in cli(daemon, "backup", "ls")
        last = max(acknowledged)
        os.makedirs(os.path.join(folder.data, "jobs", str(last), "1"), exist_ok=True)
        cli(daemon, "restore", made["name"], expect=4)        # not while it runs
        daemon.stop()
        said = cli(daemon, "restore", made["name"])
        kept = re.search(r"kept in (.*/backup/replaced-\d+)\.", said).group(1)
        with sqlite3.connect(os.path.join(kept, "nightshift.db")) as old:
            assert old.execute("SELECT COUNT(*) FROM job").fetchone()[0] == len(acknowledged)
        daemon.start()
        restored = {job for job, _ in names(daemon)}
        assert set(before) <= restored < set(acknowledged), (len(before), len(restored), len(acknowledged))
        assert daemon.get("/api/v1/selfcheck")["ok"]
        assert held(daemon, "new") > last                      # numbers of lost jobs stay used


def test_only_the_newest_backups_are_kept_and_a_damaged_one_is_refused(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        held(daemon, "one")
        made = [daemon.post("/api/v1/backup", expect=(201,))["name"] for _ in range(9)]
        listed = [b["name"] for b in daemon.get("/api/v1/backup")["backups"]]
        assert listed == sorted(made, reverse=True)[:7], (listed, made)
        daemon.stop()
        path = os.path.join(folder.data, "backup", listed[0])
        with open(path, "r+b") as file:
            file.seek(8192)
            file.write(b"\x5a" * 20000)
        before = os.stat(database(folder)).st_ino
        cli(daemon, "restore", listed[0], expect=78)
        assert os.stat(database(folder)).st_ino == before
        daemon.start()
        assert len(names(daemon)) == 1


def test_a_database_that_is_deleted_or_replaced_stops_answers_and_is_not_made_anew(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        kept = held(daemon, "kept")
        aside = os.path.join(folder.root, "aside.db")
        os.rename(database(folder), aside)
        refused(daemon, 503, "database_replaced")
        assert not os.path.exists(database(folder))
        status, _ = daemon.request("GET", "/readyz")
        assert status == 503
        assert daemon.get("/api/v1/status")["storage"]["state"] == "failing"
        shutil.copy(aside, database(folder))
        refused(daemon, 503, "database_replaced")
        os.rename(aside, database(folder))
        later = held(daemon, "later")
        daemon.stop()
        daemon.start()
        assert {kept, later} <= {job for job, _ in names(daemon)}


def test_without_its_log_nothing_is_acknowledged_and_a_kill_loses_nothing(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        acknowledged = [held(daemon, f"job {i}") for i in range(50)]
        os.unlink(database(folder) + "-wal")
        refused(daemon, 503, "database_replaced")
        refused(daemon, 503, "database_replaced")
        daemon.kill()
        daemon.start()
        assert set(acknowledged) <= {job for job, _ in names(daemon)}
        assert daemon.get("/api/v1/selfcheck")["ok"]


def damage(folder, table):
    """Overwrites one leaf page of a table, one of the newer rows."""
    with sqlite3.connect(database(folder)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [row[0] for row in base.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,))]
    assert len(pages) > 4, (table, pages)
    with open(database(folder), "r+b") as file:
        file.seek((pages[len(pages) * 3 // 4] - 1) * 4096)
        file.write(b"\x5a" * 4096)


def batch(daemon, count):
    lines = "".join(json.dumps({"kind": "sleep", "params": {"seconds": 1}, "hold": True, "name": f"일 {i}"}) +
                    "\n" for i in range(count))
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    connection.request("POST", "/api/v1/jobs:batch", lines.encode(),
                       {"Authorization": daemon.header, "Content-Type": "application/x-ndjson"})
    answer = connection.getresponse()
    rows = [json.loads(line) for line in answer.read().splitlines()]
    connection.close()
    assert all("id" in row for row in rows), rows[:3]


def test_a_damaged_page_is_served_for_reading_and_a_backup_heals_it(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        batch(daemon, 400)
        made = daemon.post("/api/v1/backup", expect=(201,))
        daemon.stop()
        damage(folder, "job")
        daemon.start()

        def rescued():
            try:
                daemon.read_instance()                             # rescue mode has another port
                daemon.request("GET", "/api/v1/jobs?limit=200")    # reads the damaged page
                return daemon.get("/api/v1/status")["storage"]["state"] == "rescue"
            except (OSError, http.client.HTTPException):
                return False

        wait_for(rescued, what="rescue mode")
        body = refused(daemon, 503, "rescue_mode")
        assert "restore" in body["hint"]
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 503 and answer.getheader("Nightshift-Storage") == "rescue"
        connection.close()
        readable = names(daemon)
        assert 300 < len(readable) < 400, len(readable)
        checks = daemon.get("/api/v1/selfcheck")
        assert not checks["ok"] and checks["checks"][0]["code"] == "file", checks["checks"][0]
        assert "rescue" in cli(daemon, "doctor", "--deep", expect=1)
        assert daemon.stop() == 0
        cli(daemon, "restore", made["name"])
        daemon.start()
        assert len(names(daemon)) == 400
        assert daemon.get("/api/v1/status")["storage"]["state"] == "ok"
        held(daemon, "after")


def test_a_second_daemon_is_refused_by_the_lock_of_the_system(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        os.unlink(os.path.join(folder.data, "instance.json"))   # what is written in files does not count
        second = Daemon(bin_folder, folder, *SIMULATE).spawn()
        assert second.process.wait(30) == 69
        restore = subprocess.run([os.path.join(bin_folder, "nightshiftd"), "--data", folder.data, "--restore",
                                  database(folder)], capture_output=True, text=True, timeout=30)
        assert restore.returncode == 69, restore
        held(daemon, "still here")


class SmallDisk(Folder):
    """A data folder on a disk of its own, of a few MiB."""

    def __enter__(self):
        os.mkdir(self.data, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", self.data],
                       check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.data], check=False)
        super().__exit__()

    def free(self):
        return shutil.disk_usage(self.data).free


def inside_full_disk(bin_folder):
    with SmallDisk() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        ballast = os.path.join(folder.data, "ballast")
        assert os.stat(ballast).st_blocks * 512 >= 8 << 20
        gate = os.path.join(folder.root, "gate")
        waiting = daemon.command("sh", "-c", f'until [ -e "{gate}" ]; do sleep 0.05; done')
        daemon.wait_state(waiting, "running")
        victim = held(daemon, "victim")
        acknowledged = [waiting, victim]
        filler = os.path.join(folder.data, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        deadline = time.monotonic() + 60
        while True:                                            # until the log has used what was left
            status, body = daemon.request("POST", "/api/v1/jobs", {
                "kind": "sleep", "params": {"seconds": 1}, "hold": True, "name": "x" * 200})
            if status != 201:
                break
            acknowledged.append(body["id"])
            assert time.monotonic() < deadline, "the disk never became full"
        assert status == 507, (status, body, daemon.log_tail())
        refused(daemon, 507, "disk_low")
        assert not os.path.exists(ballast) and daemon.get("/api/v1/status")["storage"]["state"] == "disk_low"
        daemon.post(f"/api/v1/jobs/{victim}/cancel")            # from the reserve
        open(gate, "w").close()
        ended = daemon.finish(waiting)
        assert ended["state"] == "succeeded", ended             # its end was recorded on the full disk
        os.unlink(filler)
        wait_for(lambda: os.path.exists(ballast), what="the ballast")
        acknowledged.append(held(daemon, "room again"))
        assert daemon.get("/api/v1/status")["storage"]["state"] == "ok"
        daemon.kill()
        daemon.start()
        assert set(acknowledged) <= {job for job, _ in names(daemon)}
        assert daemon.get("/api/v1/selfcheck")["ok"]


def test_a_full_disk_keeps_what_was_acknowledged_and_records_ends_from_the_ballast(bin_folder):
    in_own_mount(__file__, "inside_full_disk")


if INSIDE in sys.argv:
    globals()[sys.argv[2]](sys.argv[3])
else:
    run([value for name, value in list(globals().items()) if name.startswith("test_")])
