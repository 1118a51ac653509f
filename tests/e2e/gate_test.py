#!/usr/bin/env python3
"""The gate of the real daemon: its token files, who is let in, and every refusal of bad input.

usage: gate_test.py BIN_FOLDER      (the folder with nightshiftd and nightshift-worker)
"""
import hashlib
import hmac
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback

PATIENCE_S = 60


class Daemon:
    """nightshiftd in a fresh data folder whose name has a space and Hangul."""

    def __init__(self, bin_folder):
        self.root = tempfile.mkdtemp(prefix="nightshift 문 ")
        self.data = os.path.join(self.root, "data")
        os.mkdir(self.data, 0o700)
        self.log = open(os.path.join(self.root, "daemon.log"), "wb")
        command = [os.path.join(bin_folder, "nightshiftd"), "--data", self.data, "--listen", "127.0.0.1:0",
                   "--simulate", "gpu=8GiB"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        while not os.path.exists(self.path("instance.json")):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log.name, errors="replace") as file:
                    raise RuntimeError("nightshiftd did not start:\n" + file.read()[-2000:])
            time.sleep(0.02)
        with open(self.path("instance.json")) as file:
            self.port = json.load(file)["port"]

    def path(self, name):
        return os.path.join(self.data, name)

    def token(self, role="auth"):
        with open(self.path(role + ".hdr")) as file:
            return file.read().split("Bearer ", 1)[1].split()[0]

    def send(self, method, path, body=None, role="auth", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        fields = dict(headers or {})
        if role:
            fields["Authorization"] = "Bearer " + self.token(role)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        connection.request(method, path, body.encode() if isinstance(body, str) else body, fields)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        is_json = answer.getheader("Content-Type", "").startswith(("application/json", "application/problem"))
        return answer.status, json.loads(data) if is_json else data, answer

    def raw(self, text):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as client:
            client.sendall(text)
            return client.recv(65536)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)


def test_token_files_are_private(daemon):
    for role in ("auth", "operator", "viewer"):
        mode = stat.S_IMODE(os.stat(daemon.path(role + ".hdr")).st_mode)
        assert mode == 0o600, (role, oct(mode))
    tokens = {daemon.token(role) for role in ("auth", "operator", "viewer")}
    assert len(tokens) == 3 and all(len(token) >= 43 for token in tokens)
    with open(daemon.path("nightshift.db"), "rb") as file:
        stored = file.read()
    wal = daemon.path("nightshift.db-wal")
    stored += open(wal, "rb").read() if os.path.exists(wal) else b""
    assert not any(token.encode() in stored for token in tokens), "a token lies in the database"


def test_S01_another_host_is_refused(daemon):
    for line in (b"GET /", b"GET /api/v1/status", b"POST /api/v1/jobs", b"DELETE /api/v1/jobs/1"):
        answer = daemon.raw(line + b" HTTP/1.1\r\nHost: evil.test:7390\r\nContent-Length: 0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 403") and b"host_not_allowed" in answer, answer


def test_S13_only_a_header_is_a_credential(daemon):
    token = daemon.token()
    assert daemon.send("GET", "/api/v1/status")[0] == 200
    assert daemon.send("GET", "/api/v1/status", role=None)[1]["code"] == "no_credential"
    assert daemon.send("GET", "/api/v1/status?token=" + token, role=None)[0] == 401
    assert daemon.send("GET", "/api/v1/status", role=None, headers={"Cookie": "token=" + token})[0] == 401
    wrong = {"Authorization": "Bearer " + token[:-1]}
    assert daemon.send("GET", "/api/v1/status", role=None, headers=wrong)[1]["code"] == "bad_credential"


def test_S15_roles_as_the_document_says(daemon):
    rank = {"public": 0, "viewer": 1, "operator": 2, "admin": 3}
    paths = daemon.send("GET", "/api/v1/openapi.json")[1]["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            for role, own in ((None, 0), ("viewer", 1), ("operator", 2)):
                if own >= rank[operation["x-role"]]:
                    continue
                target = path.replace("{id}", "1").replace("{name}", "n").replace("{code}", "c")
                status = daemon.send(method.upper(), target, role=role)[0]
                assert status == (401 if own == 0 else 403), (method, path, role, status)


def test_S20_the_daemon_proves_itself_before_it_gets_a_token(daemon):
    nonce = secrets.token_hex(16)
    answer = daemon.send("GET", "/livez?challenge=" + nonce, role=None)[1].decode()
    message = f"nightshift-proof:v1:{daemon.port}:{nonce}".encode()
    for role in ("auth", "operator", "viewer"):
        key = hashlib.sha256(daemon.token(role).encode()).digest()
        assert hmac.new(key, message, hashlib.sha256).hexdigest() in answer.split("\n"), role


def test_S31_slow_clients_disturb_nobody(daemon):
    slow = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(200)]
    for client in slow:
        client.sendall(b"GET /livez HT")
    for _ in range(20):
        assert daemon.send("GET", "/api/v1/status")[0] == 200
    answers = [client.recv(4096) for client in slow]
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)
    for client in slow:
        client.close()


def test_bad_input_is_named_and_nothing_is_stored(daemon):
    before = daemon.send("GET", "/api/v1/jobs")[1]["jobs"]
    command = {"kind": "command", "command": ["true"]}
    cases = [
        ({"kind": "sleep", "priorty": 1}, "unknown_field", "/priorty"),
        ({"kind": "slepe"}, "unknown_kind", "/kind"),
        ({"kind": "sleep", "class": "trainig"}, "unknown_class", "/class"),
        ({"kind": "sleep", "params": {"secnds": 1}}, "unknown_param", "/params/secnds"),
        ({"kind": "command", "command": "rm -rf /"}, "command_not_a_list", "/command"),
        ({"kind": "command"}, "missing_field", "/command"),
        ({**command, "vram": "80GiB"}, "vram_impossible", "/vram"),
        ({**command, "after": [999999]}, "unknown_dependency", "/after/0"),
        ({**command, "after": ["job:#0"]}, "unknown_dependency", "/after/0"),
        ({**command, "cwd": "/no/such/folder"}, "no_such_path", "/cwd"),
        ({**command, "window": "night"}, "bad_window", "/window"),
        ({**command, "not_before": "tomorrow"}, "bad_time", "/not_before"),
        ({**command, "vram": "much"}, "bad_size", "/vram"),
        ({"kind": "train.patchcore", "params": {"features": "/no/a.csv"}}, "no_such_path",
         "/params/features"),
    ]
    for submit, code, pointer in cases:
        status, problem, answer = daemon.send("POST", "/api/v1/jobs", submit)
        assert status == 422 and problem["code"] == code, (submit, status, problem)
        assert problem["errors"][0]["pointer"] == pointer, (submit, problem)
        assert problem["hint"], (submit, problem)
        assert answer.getheader("Content-Type") == "application/problem+json"
    status, problem, _ = daemon.send("PUT", "/api/v1/policy", {"clases": {}})
    assert status == 422 and "classes" in problem["hint"], problem
    assert daemon.send("POST", "/api/v1/jobs", "{")[1]["code"] == "bad_json"
    assert daemon.send("GET", "/api/v1/jobs")[1]["jobs"] == before


def test_a_job_from_submit_to_its_log(daemon):
    submit = {"kind": "command", "command": ["sh", "-c", "echo 하나; echo two >&2"], "name": "문 시험"}
    key = {"Idempotency-Key": "gate-1"}
    status, job, answer = daemon.send("POST", "/api/v1/jobs", submit, role="operator", headers=key)
    assert status == 201 and answer.getheader("Location") == f"/api/v1/jobs/{job['id']}", job
    again = daemon.send("POST", "/api/v1/jobs", submit, role="operator", headers=key)
    assert again[0] == 201 and again[1]["id"] == job["id"], again
    assert again[2].getheader("Idempotency-Replayed") == "true"
    other = daemon.send("POST", "/api/v1/jobs", {**submit, "priority": 3}, role="operator", headers=key)
    assert other[0] == 422 and other[1]["code"] == "idempotency_mismatch", other
    log = daemon.send("GET", f"/api/v1/jobs/{job['id']}/log?follow=1", role="viewer")[1]
    assert log.decode() == "하나\ntwo\n", log
    ended = daemon.send("GET", f"/api/v1/jobs/{job['id']}?wait=60s&until=finished", role="viewer")[1]
    assert ended["state"] == "succeeded" and ended["outcome"]["exit_code"] == 0, ended
    why = daemon.send("GET", f"/api/v1/jobs/{job['id']}/why", role="viewer")[1]
    assert why["gates"] == [] and why["state"] == "succeeded", why
    events = daemon.send("GET", f"/api/v1/jobs/{job['id']}/events", role="viewer")[1]["events"]
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events}), events


def test_batch_is_a_line_each(daemon):
    lines = [{"kind": "sleep", "params": {"seconds": 0}}, {"kind": "slep"}]
    lines.append({"kind": "sleep", "after": ["job:#0"]})
    body = "\n".join(json.dumps(line) for line in lines)
    kind = {"Content-Type": "application/x-ndjson"}
    status, answer, _ = daemon.send("POST", "/api/v1/jobs:batch", body, headers=kind)
    rows = [json.loads(line) for line in answer.decode().splitlines()]
    assert status == 200 and len(rows) == 3, rows
    by_line = {row["line"]: row for row in rows}
    assert by_line[2]["error"]["code"] == "unknown_kind", rows
    child = daemon.send("GET", f"/api/v1/jobs/{by_line[3]['id']}")[1]
    assert child["after"] == [{"job": by_line[1]["id"], "on": "success"}], child


def main():
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    failed = 0
    daemon = Daemon(sys.argv[1])
    try:
        for test in tests:
            try:
                test(daemon)
                print("ok    ", test.__name__)
            except Exception:
                failed += 1
                print("FAILED", test.__name__)
                traceback.print_exc()
    finally:
        daemon.stop()
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
