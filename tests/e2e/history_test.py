#!/usr/bin/env python3
"""`nightshift history`: ended jobs as a file that proves itself, from a sound and from a damaged database,
and kept by another daemon, whole or not at all.
"""

import datetime
import http.client
import json
import os
import resource
import sqlite3
import subprocess

from harness import Daemon, Folder, run, wait_for

SIMULATE = ("--simulate", "gpu=8GiB")
SECRET = "swordfish-0123456789"
MANY = 20_000
GROWTH_MAX_KIB = 48 * 1024


def cli(daemon, *arguments, expect=0):
    done = subprocess.run([os.path.join(daemon.bin, "nightshift"), "--data", daemon.folder.data, *arguments],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == expect, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout + done.stderr


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def bodies(path):
    """Its lines of content, without their chains."""
    with open(path, encoding="utf-8") as file:
        texts = [line.rsplit(',"chain":', 1)[0] for line in file]
    return [text for text in texts if text.startswith(('{"type":"job"', '{"type":"fire"', '{"type":"unread'))]


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def some_jobs(daemon):
    good = daemon.command("sh", "-c", "exit 0", name="첫째 일", labels={"lot": "A7"}, env={"PASSWORD": SECRET})
    bad = daemon.command("sh", "-c", "exit 7", name="둘째", after=[{"job": good, "on": "any"}])
    daemon.finish(good)
    daemon.finish(bad)
    return good, bad, daemon.sleep_job(1, hold=True)


def cancelled_jobs(daemon, count):
    jobs = [daemon.sleep_job(1, name=f"일 {n} " + "x" * 150, hold=True) for n in range(count)]
    for job in jobs:
        daemon.post(f"/api/v1/jobs/{job}/cancel")
    return jobs


def send(daemon, content, expect):
    """POST of the raw bytes."""

    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=120)
    try:
        connection.request("POST", "/api/v1/history", content,
                           {"Authorization": daemon.header, "Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == expect, (answer.status, body)
        return body
    finally:
        connection.close()


def imported(daemon):
    found, cursor = [], ""
    while True:
        page = daemon.get("/api/v1/history/jobs?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        found += page["jobs"]
        cursor = page["next"]
        if not cursor:
            return found


def test_every_ended_job_is_in_it_and_no_secret(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        good, bad, waiting = some_jobs(daemon)
        path = os.path.join(folder.root, "지난 일.jsonl")
        said = cli(daemon, "history", "export", "--out", path)
        assert "2 ended jobs" in said and os.stat(path).st_mode & 0o077 == 0, said
        header, *jobs, end = lines_of(path)
        assert header["type"] == "nightshift-history" and len(header["database"]) == 32, header
        assert [job["id"] for job in jobs] == [good, bad] and waiting not in [job["id"] for job in jobs]
        assert jobs[0]["labels"] == {"lot": "A7"} and jobs[0]["created_at"] == daemon.job(good)["created_at"]
        assert jobs[1]["outcome"]["exit_code"] == 7 and jobs[1]["attempts"][0]["exit_code"] == 7, jobs[1]
        assert [event["kind"] for event in jobs[0]["events"]] == ["submitted", "starting", "started",
                                                                 "succeeded"], jobs[0]["events"]
        assert (end["jobs"], end["unreadable"]) == (2, 0), end
        content = bytes_of(path)
        assert SECRET.encode() not in content and daemon.header.split()[-1].encode() not in content
        # The same again gives the same bytes, also after a restart.
        daemon.stop()
        daemon.start()
        again = os.path.join(folder.root, "again.jsonl")
        cli(daemon, "history", "export", "--out", again)
        assert bytes_of(again) == content
        printed = subprocess.run([os.path.join(bin_folder, "nightshift"), "--data", folder.data, "history",
                                  "export"], capture_output=True, timeout=60)
        assert printed.stdout == content and b"whole and unchanged" in printed.stderr, printed.stderr
        cli(daemon, "history", "export", "--out", again, "--from", str(bad))
        assert [line.get("id") for line in lines_of(again)] == [None, bad, None]
        cli(daemon, "history", "export", "--out", again, "--to", str(good))
        assert [line.get("id") for line in lines_of(again)] == [None, good, None]


def test_a_file_that_was_touched_is_refused_with_its_line_and_loses_nothing(bin_folder):
    with Folder() as here, Folder() as there, Daemon(bin_folder, here, *SIMULATE) as daemon, \
            Daemon(bin_folder, there, *SIMULATE) as other:
        some_jobs(daemon)
        path = os.path.join(here.root, "h.jsonl")
        cli(daemon, "history", "export", "--out", path)
        assert "whole and unchanged" in cli(daemon, "history", "check", path)
        with open(path, encoding="utf-8") as file:
            whole = file.readlines()

        def refused(lines, words):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines)
            assert words in cli(daemon, "history", "check", path, expect=1)
            assert words in cli(other, "history", "import", path, expect=4)

        cli(other, "history", "import", path)
        before = imported(other)
        assert len(before) == 2
        refused([whole[0], whole[1].replace('"succeeded"', '"failed"', 1), *whole[2:]], "ine 2 ")
        refused([whole[0], *whole[2:]], "ine 2 ")
        refused([whole[0], whole[2], whole[1], *whole[3:]], "ine 2 ")
        refused(whole[:-1], "ends after line 3")
        refused([*whole, whole[-1]], "ine 5 ")
        assert imported(other) == before
        assert other.get("/api/v1/selfcheck")["ok"]


def test_another_daemon_keeps_it_apart_and_gives_it_back_line_by_line(bin_folder):
    with Folder() as here, Folder() as there, Daemon(bin_folder, here, *SIMULATE) as daemon, \
            Daemon(bin_folder, there, *SIMULATE) as other:
        good, bad, _ = some_jobs(daemon)
        first = os.path.join(here.root, "첫 번째.jsonl")
        cli(daemon, "history", "export", "--out", first)
        own = other.sleep_job(0, name="여기 일")
        other.finish(own)
        said = cli(other, "history", "import", first)
        assert "imported 2 lines" in said, said
        database = lines_of(first)[0]["database"]
        listed = json.loads(cli(other, "history", "list", "-o", "json"))
        assert [(job["origin"], job["id"], job["name"]) for job in listed] == [(database, bad, "둘째"),
                                                                              (database, good, "첫째 일")]
        assert "첫째 일" in cli(other, "history", "list")
        # They are no jobs of this queue.
        assert [job["id"] for job in other.get("/api/v1/jobs")["jobs"]] == [own]
        again = cli(other, "history", "import", first)
        assert "nothing changed" in again, again
        assert [line["added"] for line in other.get("/api/v1/history/imports")["imports"]] == [2]
        # As its own daemon exported it, byte by byte; behind the own ones, line by line.
        back = os.path.join(there.root, "돌아온.jsonl")
        cli(other, "history", "export", "--origin", database, "--out", back)
        assert bytes_of(back) == bytes_of(first)
        cli(other, "history", "export", "--imported", "--out", back)
        cli(other, "history", "check", back)
        assert bodies(back)[1:] == bodies(first) and lines_of(back)[1]["name"] == "여기 일"
        # On to a third, and back home: there everything of its own is known.
        with Folder() as far, Daemon(bin_folder, far, *SIMULATE) as third:
            cli(third, "history", "import", back)
            onward = os.path.join(far.root, "onward.jsonl")
            cli(third, "history", "export", "--imported", "--out", onward)
            assert sorted(bodies(onward)) == sorted(bodies(back))
        said = json.loads(cli(daemon, "history", "import", back, "-o", "json"))
        assert (said["own"], said["added"]) == (2, 1), said
        # A change there comes with the next export; the queue keeps none of it.
        daemon.request("DELETE", f"/api/v1/jobs/{good}")
        cli(daemon, "history", "export", "--out", first)
        said = json.loads(cli(other, "history", "import", first, "-o", "json"))
        assert (said["replaced"], said["same"]) == (1, 1), said
        assert other.get("/api/v1/selfcheck")["ok"]
        daemon.stop(), other.stop()
        other.start()
        assert [job["hidden"] for job in imported(other) if job["id"] == good] == [True]


def memory_kib(daemon, field="VmHWM"):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def expired_jobs(daemon, count):
    """Jobs whose start deadline passes before they may start: the quickest way to have ended ones."""
    for start in range(0, count, 1000):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=15)
        deadline = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = "".join(json.dumps({"kind": "sleep", "name": f"밤일 {n}", "labels": {"줄": str(n)}, "hold": True,
                                   "start_deadline": deadline}, ensure_ascii=False) + "\n"
                       for n in range(start, min(start + 1000, count)))
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=120)
        connection.request("POST", "/api/v1/jobs:batch", text.encode(),
                           {"Authorization": daemon.header, "Content-Type": "application/x-ndjson"})
        answer = connection.getresponse().read().decode().splitlines()
        connection.close()
        assert all('"id"' in line for line in answer), answer[-1]
    wait_for(lambda: count == ended(daemon), limit_s=240, what="the end of all jobs")


def ended(daemon):
    with sqlite3.connect(os.path.join(daemon.folder.data, "nightshift.db"), timeout=10) as database:
        return database.execute("SELECT COUNT(*) FROM job WHERE ended_at_ms IS NOT NULL").fetchone()[0]


def test_twenty_thousand_jobs_go_out_and_in_with_bounded_memory(bin_folder):
    with Folder() as here, Folder() as there, Daemon(bin_folder, here, *SIMULATE) as daemon, \
            Daemon(bin_folder, there, *SIMULATE) as other:
        expired_jobs(daemon, MANY)
        path = os.path.join(here.root, "이만.jsonl")
        with open(f"/proc/{daemon.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")                                # the high-water mark begins anew
        before = memory_kib(daemon), memory_kib(other)
        said = cli(daemon, "history", "export", "--out", path)
        assert f"{MANY} ended jobs" in said, said
        assert os.path.getsize(path) > MANY * 500
        said = cli(other, "history", "import", path)
        assert f"imported {MANY} lines" in said, said
        back = os.path.join(there.root, "back.jsonl")
        database = lines_of(path)[0]["database"]
        cli(other, "history", "export", "--origin", database, "--out", back)
        assert bytes_of(back) == bytes_of(path)
        assert "nothing changed" in cli(other, "history", "import", path)
        grown = memory_kib(daemon) - before[0], memory_kib(other) - before[1]
        assert max(grown) < GROWTH_MAX_KIB, (grown, os.path.getsize(path))
        client = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"      {os.path.getsize(path) >> 10} KiB; daemons grew by {grown[0]} and {grown[1]} KiB; "
              f"largest child {client} KiB")


def look_for_traces(other):
    database = os.path.join(other.folder.data, "nightshift.db")

    def is_clean():
        with sqlite3.connect(database, timeout=10) as opened:
            return opened.execute("SELECT (SELECT COUNT(*) FROM imported_line) + (SELECT COUNT(*) FROM "
                                  "history_import)").fetchone()[0] == 0

    assert imported(other) == [] and other.get("/api/v1/history/imports")["imports"] == []
    wait_for(is_clean, what="the end of what was left")
    assert other.get("/api/v1/selfcheck")["ok"]


def test_a_daemon_killed_while_a_history_comes_in_keeps_no_trace_and_takes_it_again(bin_folder):
    with Folder() as here, Folder() as there, Daemon(bin_folder, here, *SIMULATE) as daemon, \
            Daemon(bin_folder, there, *SIMULATE) as other:
        cancelled_jobs(daemon, 900)
        path = os.path.join(here.root, "h.jsonl")
        cli(daemon, "history", "export", "--out", path)
        content = bytes_of(path)
        for share in (0.4, 0.7, 1):
            kill_while_it_comes_in(other, content, int((len(content) - 1) * share))
            other.start()
            look_for_traces(other)
        assert "imported 900 lines" in cli(other, "history", "import", path)


def kill_while_it_comes_in(other, content, size):
    """Sends so many bytes, and kills the daemon when the first lines of them are stored."""
    connection = http.client.HTTPConnection("127.0.0.1", other.port, timeout=120)
    try:
        connection.putrequest("POST", "/api/v1/history")
        for name, value in (("Authorization", other.header), ("Content-Type", "application/x-ndjson"),
                            ("Content-Length", str(len(content)))):
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(content[:size])
        wait_for(lambda: lines_stored(other) > 0, what="the first lines")
        other.kill()
    finally:
        connection.close()


def lines_stored(daemon):
    with sqlite3.connect(os.path.join(daemon.folder.data, "nightshift.db"), timeout=10) as database:
        return database.execute("SELECT COUNT(*) FROM imported_line").fetchone()[0]


def test_a_damaged_database_gives_what_can_be_read_and_names_the_rest(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = cancelled_jobs(daemon, 300)
        daemon.stop()
        database = os.path.join(folder.data, "nightshift.db")
        with sqlite3.connect(database) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            leaves = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
            pages = [row[0] for name, first in (("job", 2), ("job_spec", 0), ("event", 2))
                     for row in opened.execute(leaves + " LIMIT 1 OFFSET ?", (name, first))]
        assert pages
        with open(database, "r+b") as file:
            for page in pages:
                file.seek((page - 1) * 4096)
                file.write(b"\x5a" * 4096)
        daemon.start()
        try:
            daemon.request("GET", f"/api/v1/jobs?limit=200&cursor={jobs[150]}")     # finds the damage
        except (OSError, http.client.HTTPException):
            pass
        wait_for(lambda: is_rescue(daemon), what="rescue")
        path = os.path.join(folder.root, "구한 것.jsonl")
        said = cli(daemon, "history", "export", "--out", path)
        assert "could not be read" in said, said
        cli(daemon, "history", "check", path)
        lines = lines_of(path)
        whole = {line["id"] for line in lines if line["type"] == "job"}
        lost = {job for line in lines if line["type"] == "unreadable" and line["what"] == "jobs"
                for job in range(line["from"], line["to"] + 1)}
        assert lost and not whole & lost and whole | lost >= set(jobs), (sorted(lost), lines[-1])
        assert any("spec" in line["unreadable"] for line in lines if line["type"] == "job")
        assert any("events" in line["unreadable"] for line in lines if line["type"] == "job")
        send(daemon, bytes_of(path), 503)
        with Folder() as there, Daemon(bin_folder, there, *SIMULATE) as other:
            cli(other, "history", "import", path)
            back = os.path.join(there.root, "back.jsonl")
            cli(other, "history", "export", "--origin", lines[0]["database"], "--out", back)
            assert bytes_of(back) == bytes_of(path)


def is_rescue(daemon):
    try:
        daemon.read_instance()
        status, body = daemon.request("GET", "/api/v1/status")
        return status == 200 and body["storage"]["state"] == "rescue"
    except (OSError, KeyError, ValueError):
        return False


def test_who_may_read_it_and_who_may_bring_it(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        path = os.path.join(folder.root, "viewed.jsonl")
        viewer = ("--auth", os.path.join(folder.data, "viewer.hdr"))
        cli(daemon, *viewer, "history", "export", "--out", path)
        assert [line["type"] for line in lines_of(path)] == ["nightshift-history", "end"]
        assert "role_insufficient" in cli(daemon, *viewer, "history", "import", path, expect=4)
        status, _ = daemon.request("GET", "/api/v1/history", headers={"Authorization": ""})
        assert status == 401, status
        assert "nothing changed" in cli(daemon, "history", "import", path)
        empty = os.path.join(folder.root, "empty.jsonl")
        open(empty, "w", encoding="ascii").close()
        cli(daemon, "history", "import", empty, expect=1)
        cli(daemon, "history", "import", os.path.join(folder.root, "없음"), expect=3)


run([value for name, value in list(globals().items()) if name.startswith("test_")])
