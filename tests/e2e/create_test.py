#!/usr/bin/env python3
"""Requests that create: a key makes each of them safe to repeat, and chains come whole or not at all."""

import http.client
import json
import os
import socket

from harness import Daemon, Folder, run
from promises import read_only

SIMULATE = ("--simulate", "gpu=8GiB")
CONNECTIONS = 100
NDJSON = "application/x-ndjson"


def ask(daemon, path, body=b"", key=None, kind="application/json"):
    """Status, Idempotency-Replayed, raw body."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    try:
        headers = {"Authorization": daemon.header, "Content-Type": kind}
        if key:
            headers["Idempotency-Key"] = key
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Idempotency-Replayed"), answer.read()
    finally:
        connection.close()


def submit_text(**fields):
    return json.dumps({"kind": "sleep", "hold": True, "params": {"seconds": 0}, **fields}).encode()


def count_jobs(folder):
    database = read_only(folder)
    count = database.execute("SELECT COUNT(*) FROM job").fetchone()[0]
    database.close()
    return count


def at_once(daemon, body, key):
    """Sends the request on many connections, all but its last byte, and then everywhere that byte."""
    head = (f"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\n"
            f"Authorization: {daemon.header}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    sockets = [socket.create_connection(("127.0.0.1", daemon.port), timeout=30) for _ in range(CONNECTIONS)]
    for connection in sockets:
        connection.sendall(head + body[:-1])
    for connection in sockets:
        connection.sendall(body[-1:])
    answers = []
    for connection in sockets:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answers.append((answer.status, answer.getheader("Idempotency-Replayed"), answer.getheader("Location"),
                        answer.read()))
        connection.close()
    return answers


def test_one_key_from_a_hundred_connections_at_once(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        for round_number in range(3):
            body = submit_text(name=f"밤 {round_number}")
            answers = at_once(daemon, body, f"round-{round_number}")
            assert {answer[0] for answer in answers} == {201}, answers[:3]
            assert len({answer[2:] for answer in answers}) == 1, "the answers differ"
            assert [answer[1] for answer in answers].count(None) == 1, "exactly one was the first"
            assert count_jobs(folder) == round_number + 1
        daemon.kill()
        daemon.start()
        status, replayed, _ = ask(daemon, "/api/v1/jobs", body, "round-2")
        assert (status, replayed) == (201, "true")
        status, _, answer = ask(daemon, "/api/v1/jobs", submit_text(name="else"), "round-2")
        assert status == 422 and json.loads(answer)["code"] == "idempotency_mismatch", answer
        assert count_jobs(folder) == 3


def test_every_post_that_creates_is_repeatable_across_a_restart(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        failed = daemon.command("false", cpu=0)
        assert daemon.finish(failed)["state"] == "failed"
        daemon.post("/api/v1/queue/pause", {"reason": "answers are compared"})
        chain = [json.loads(submit_text()), json.loads(submit_text(after=["job:#0"]))]
        schedule = json.dumps({"name": "n", "cron": "0 22 * * *", "jobs": chain})
        lines = submit_text(name="하나") + b"\n" + submit_text(name="둘", after=["job:#0"]) + b"\n"
        asked = [("/api/v1/jobs", submit_text(name="하나"), "application/json"),
                 ("/api/v1/jobs:batch", lines, NDJSON),
                 (f"/api/v1/jobs/{failed}/retry", b"", "application/json"),
                 ("/api/v1/schedules", schedule.encode(), "application/json"),
                 ("/api/v1/schedules/n/run", b"", "application/json")]
        first = [ask(daemon, path, body, f"key of {path}".encode().hex(), kind) for path, body, kind in asked]
        assert [answer[0] for answer in first] == [201, 200, 201, 201, 201], first
        assert [answer[1] for answer in first] == [None] * 5, first
        made = count_jobs(folder)
        daemon.kill()
        daemon.start()
        for (path, body, kind), before in zip(asked, first):
            key = f"key of {path}".encode().hex()
            status, replayed, answer = ask(daemon, path, body, key, kind)
            if kind == NDJSON:
                ids = [json.loads(row)["id"] for row in before[2].splitlines()]
                assert [json.loads(row) for row in answer.splitlines()] == [
                    {"line": i + 1, "id": job, "replayed": True} for i, job in enumerate(ids)], answer
                other = ask(daemon, path, body.replace(b"sleep", b"burn"), key, kind)[2].splitlines()
                assert json.loads(other[0])["error"]["code"] == "idempotency_mismatch", other
                continue
            assert (status, replayed, answer) == (201, "true", before[2]), (path, status, answer, before[2])
            status, _, answer = ask(daemon, path, body + b" ", key, kind)
            assert status == 422 and json.loads(answer)["code"] == "idempotency_mismatch", (path, answer)
        assert count_jobs(folder) == made
        assert len(daemon.get("/api/v1/schedules")["schedules"]) == 1


def test_a_refused_request_does_not_use_its_key_up(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.sleep_job(0, hold=True)
        assert ask(daemon, f"/api/v1/jobs/{job}/retry", b"", "again")[0] == 409
        daemon.post(f"/api/v1/jobs/{job}/cancel")
        assert ask(daemon, f"/api/v1/jobs/{job}/retry", b"", "again")[0] == 201
        assert count_jobs(folder) == 2


def test_a_batch_of_a_chain_runs_in_its_order(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        record = os.path.join(folder.root, "순서")
        rows = [{"kind": "command", "cpu": 0, "command": ["sh", "-c", f'echo {i} >> "$1"', "sh", record],
                 "after": [f"job:#{i - 1}"] if i else []} for i in range(5)]
        rows.append({"kind": "sleep", "after": ["job:#9"]})
        rows.append({"kind": "sleep", "after": [{"job": "job:#5", "on": "any"}]})
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        status, _, answer = ask(daemon, "/api/v1/jobs:batch", text, kind=NDJSON)
        lines = [json.loads(line) for line in answer.splitlines()]
        assert status == 200 and len(lines) == 7, answer
        for line in lines[:5]:
            assert daemon.finish(line["id"])["state"] == "succeeded", line
        with open(record, encoding="ascii") as file:
            assert file.read().split() == ["0", "1", "2", "3", "4"]
        for line, words in ((lines[5], "no job that comes before"), (lines[6], "was refused")):
            error = line["error"]
            assert error["code"] == "unknown_dependency" and words in error["detail"], error


def chain_of(*after):
    return [{"kind": "sleep", "params": {"seconds": 0}, "after": list(names)} for names in after]


def test_a_schedule_with_bad_references_is_refused_with_words(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        for jobs, code, pointer in ((chain_of([], ["job:#9"], []), "unknown_dependency", "/jobs/1"),
                                    (chain_of(["job:#0"]), "circular_dependency", "/jobs/0"),
                                    (chain_of([], ["job:#2"], ["job:#1"]), "circular_dependency", "/jobs/1"),
                                    (chain_of([], ["job:#x"]), "unknown_dependency", "/jobs/1/after/0"),
                                    ([], "wrong_type", "/jobs")):
            body = json.dumps({"name": "bad", "cron": "0 22 * * *", "jobs": jobs}).encode()
            status, _, answer = ask(daemon, "/api/v1/schedules", body)
            problem = json.loads(answer)
            assert status == 422, (jobs, answer)
            error = problem["errors"][0] if problem.get("errors") else problem
            assert error["code"] == code and error["pointer"] == pointer, (jobs, problem)
        # A reference to a later job is fine where the whole list is known: it is put in order.
        daemon.post("/api/v1/schedules", {"name": "good", "cron": "0 22 * * *",
                                          "jobs": chain_of(["job:#1"], [])})
        first, second = daemon.post("/api/v1/schedules/good/run")["jobs"]
        assert daemon.finish(second)["state"] == "succeeded" and daemon.job(second)["after"], (first, second)


def test_a_chain_that_does_not_fit_leaves_nothing(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        daemon.post("/api/v1/queue/pause", {"reason": "the queue is filled"})
        daemon.post("/api/v1/schedules", {"name": "n", "cron": "0 22 * * *",
                                          "jobs": chain_of([], ["job:#0"], [])})
        status, answer = daemon.request("PUT", "/api/v1/policy", {"limits": {"waiting": 4}})
        assert status == 200, answer
        assert len(daemon.post("/api/v1/schedules/n/run")["jobs"]) == 3
        status, _, answer = ask(daemon, "/api/v1/schedules/n/run", b"", "second")
        assert status == 429 and json.loads(answer)["code"] == "queue_full", answer
        assert count_jobs(folder) == 3, "a part of the chain was left"
        daemon.request("PUT", "/api/v1/policy", {"limits": {"waiting": 40}})
        assert ask(daemon, "/api/v1/schedules/n/run", b"", "second")[:2] == (201, None)
        assert count_jobs(folder) == 6


run([value for name, value in list(globals().items()) if name.startswith("test_")])
