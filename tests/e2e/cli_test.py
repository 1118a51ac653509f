#!/usr/bin/env python3
"""Drives the real `nightshift` against a real daemon: exit codes, formats, and what it must never do.

usage: cli_test.py [BIN]    BIN is the folder of the built programs
"""

import csv
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin"))
GIB = 1 << 30


class Cli:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments, stdin=None, timeout=60):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")
        }
        return subprocess.run(
            [os.path.join(BIN, "nightshift"), "--data", self.folder, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
        )

    def ok(self, *arguments, **options):
        done = self(*arguments, **options)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.returncode} {done.stdout!r} {done.stderr!r}")
        return done.stdout.decode()

    def json(self, *arguments, **options):
        return json.loads(self.ok("-o", "json", *arguments, **options))


class WithDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = tempfile.mkdtemp(prefix="밤 근무 ")
        cls.cli = Cli(os.path.join(cls.box, "data folder"))
        cls.cli.ok("up", "--listen", "127.0.0.1:0", "--simulate", "gpu=8GiB")

    @classmethod
    def tearDownClass(cls):
        down = cls.cli("down", timeout=120)
        shutil.rmtree(cls.box, ignore_errors=True)
        if down.returncode != 0:
            raise AssertionError(f"down: {down.stderr!r}")

    def submit(self, *arguments):
        return int(self.cli.ok("-q", "submit", *arguments))

    def test_up_again_says_that_it_runs(self):
        self.assertIn("already runs", self.cli.ok("up"))

    def test_status_and_doctor(self):
        status = self.cli.ok("status")
        self.assertIn("Simulated GPU", status)
        done = self.cli("doctor")
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        self.assertIn("data folder", done.stdout.decode())

    def test_wait_exit_codes(self):
        good = self.submit("--kind", "sleep", "-p", "seconds=0")
        self.assertEqual(self.cli("wait", str(good)).returncode, 0)
        bad = int(self.cli.ok("-q", "run", "--", "/bin/sh", "-c", "exit 3"))
        done = self.cli("wait", str(good), str(bad))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(self.cli("wait").returncode, 2)
        self.assertEqual(self.cli("wait", "twelve").returncode, 2)
        self.assertEqual(self.cli("wait", "999999").returncode, 3)
        held = self.submit("--kind", "sleep", "--hold")
        start = time.monotonic()
        self.assertEqual(self.cli("wait", "--timeout", "300ms", str(held)).returncode, 124)
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(self.cli("cancel", str(held)).returncode, 0)
        self.assertEqual(self.cli("cancel", str(held)).returncode, 4)
        self.assertEqual(Cli(os.path.join(self.box, "nobody"))("wait", "1").returncode, 5)

    def test_refusals_say_what_to_do(self):
        done = self.cli("submit", "--kind", "slep")
        self.assertEqual(done.returncode, 4)
        self.assertIn("sleep", done.stderr.decode())
        done = self.cli("submit", "--kind", "sleep", "-p", "secnds=1")
        self.assertEqual(done.returncode, 4)
        self.assertIn("seconds", done.stderr.decode())
        done = self.cli("submit", "--kind", "sleep", "--vram", "80GiB")
        self.assertEqual(done.returncode, 4)
        self.assertIn("vram_impossible", done.stderr.decode())
        self.assertEqual(self.cli("submit").returncode, 2)
        self.assertEqual(self.cli("submit", "no-such-file.json").returncode, 2)

    def test_run_and_logs(self):
        job = int(
            self.cli.ok(
                "-q",
                "run",
                "--name",
                "밤샘 학습",
                "--",
                "/bin/sh",
                "-c",
                "printf 'a\\033[31mb\\n'; echo end",
            )
        )
        self.assertEqual(self.cli.ok("logs", "-f", str(job)), "a\x1b[31mb\nend\n")
        self.assertEqual(self.cli.ok("logs", "-n", "1", str(job)), "end\n")
        self.assertIn("밤샘 학습", self.cli.ok("show", str(job)))

    def test_run_wait_ends_with_the_code_of_the_job(self):
        done = self.cli("run", "--wait", "--", "/bin/sh", "-c", "echo out; exit 7")
        self.assertEqual(done.returncode, 7)
        self.assertTrue(done.stdout.decode().startswith("out\n"), done.stdout)

    def test_formats(self):
        job = self.submit("--kind", "sleep", "--hold", "--name", "=cmd, 밤")
        self.assertEqual(self.cli.json("show", str(job))["name"], "=cmd, 밤")
        rows = list(csv.reader(io.StringIO(self.cli.ok("-o", "csv", "ls", "--search", "=cmd"))))
        self.assertEqual(rows[1][1], "'=cmd, 밤")
        lines = self.cli.ok("-o", "jsonl", "ls", "--all").splitlines()
        self.assertIn(job, [json.loads(line)["id"] for line in lines])
        self.assertIn(str(job), self.cli.ok("-q", "ls", "--all").split())
        self.assertIn("ID  NAME", self.cli.ok("ls"))

    def test_body_from_standard_input(self):
        body = json.dumps({"kind": "sleep", "params": {"seconds": 0}}).encode()
        done = self.cli("-q", "submit", "-", stdin=body)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_why_adds_up(self):
        holder = self.submit("--kind", "sleep", "-p", "seconds=60", "--vram", "6GiB", "--no-preemptible")
        self.cli.ok("wait", "--until", "started", str(holder))
        waiting = self.submit("--kind", "sleep", "--vram", "4GiB")
        why = self.cli.json("why", str(waiting))
        detail = next(gate["detail"] for gate in why["gates"] if "needed" in gate["detail"])
        rest = (
            detail["capacity"] - detail["safety"] - detail["foreign"] - detail["held"] - detail["headroom"]
        )
        self.assertEqual(detail["available"], max(0, rest))
        self.assertEqual(detail["needed"], 4 * GIB)
        self.assertIn("= available", self.cli.ok("why", str(waiting)))
        self.cli.ok("cancel", str(holder), str(waiting))

    def test_dry_run_stores_nothing(self):
        before = self.cli.ok("-q", "ls", "--all")
        self.assertIn("accepted", self.cli.ok("submit", "--kind", "sleep", "--hold", "--dry-run"))
        self.assertEqual(self.cli.ok("-q", "ls", "--all"), before)

    def test_hold_release_edit(self):
        job = self.submit("--kind", "sleep", "-p", "seconds=0", "--hold")
        self.cli.ok("edit", str(job), "--name", "other", "--priority", "5")
        found = self.cli.json("show", str(job))
        self.assertEqual((found["name"], found["priority"], found["held"]), ("other", 5, True))
        self.cli.ok("release", str(job))
        self.cli.ok("wait", str(job))
        again = int(self.cli.ok("-q", "retry", str(job)))
        self.assertEqual(self.cli.json("show", str(again))["rerun_of"], job)
        self.cli.ok("wait", str(again))

    def test_schedules(self):
        self.cli.ok(
            "schedule",
            "add",
            "nightly-run",
            "--at",
            "22:05",
            "--days",
            "mon-fri",
            "--timezone",
            "Asia/Seoul",
            "--kind",
            "sleep",
            "-p",
            "seconds=0",
        )
        self.assertIn("5 22 * * mon-fri", self.cli.ok("schedule", "ls"))
        fires = self.cli.json("schedule", "next", "-n", "3", "nightly-run")
        self.assertEqual(len(fires), 3)
        self.assertTrue(all("22:05" in fire["local"] for fire in fires))
        self.cli.ok("schedule", "pause", "nightly-run")
        self.cli.ok("schedule", "resume", "nightly-run")
        made = self.cli.json("schedule", "run", "nightly-run")["jobs"]
        self.cli.ok("wait", *[str(job) for job in made])
        self.cli.ok("schedule", "rm", "nightly-run")
        self.assertEqual(self.cli("schedule", "next", "nightly-run").returncode, 3)

    def test_policy_with_a_typo_changes_nothing(self):
        before = self.cli.ok("policy", "show")
        path = os.path.join(self.box, "policy.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"limts": {"running": 1}}')
        done = self.cli("policy", "apply", path)
        self.assertEqual(done.returncode, 4)
        self.assertIn("limits", done.stderr.decode())
        self.assertEqual(self.cli.ok("policy", "show"), before)
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"limits": {"running": 7}}')
        self.cli.ok("policy", "apply", path)
        self.assertIn("7", self.cli.ok("policy", "show"))

    def test_open_prints_a_code_that_works_once(self):
        url = self.cli.json("open", "--print")["url"]
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/#code=[0-9A-Za-z_-]+$")

    def test_a_stranger_on_the_port_gets_no_token(self):
        heard = []

        class Stranger(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                heard.append((self.path, self.headers.get("Authorization")))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_GET

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Stranger)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            done = self.cli("--url", f"http://127.0.0.1:{server.server_port}", "ls")
        finally:
            server.shutdown()
            server.server_close()
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(len(heard), 1)
        self.assertTrue(heard[0][0].startswith("/livez?challenge="))
        self.assertIsNone(heard[0][1])


class WithoutDaemon(unittest.TestCase):
    def test_port_taken_says_what_to_do(self):
        with tempfile.TemporaryDirectory(prefix="밤 근무 ") as box:
            first, second = Cli(os.path.join(box, "a")), Cli(os.path.join(box, "b"))
            address = first.json("up", "--listen", "127.0.0.1:0", "--simulate", "gpu=8GiB")["url"][
                len("http://") :
            ]
            try:
                done = second("up", "--listen", address, "--simulate", "gpu=8GiB")
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn("69", done.stderr.decode())
                self.assertIn("127.0.0.1:0", done.stderr.decode())
            finally:
                first.ok("down", timeout=120)

    def test_down_without_a_daemon_is_fine(self):
        with tempfile.TemporaryDirectory() as box:
            self.assertEqual(Cli(box)("down").returncode, 0)


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"{result.testsRun - bad - skipped} passed, {bad} failed, {skipped} skipped")
    sys.exit(1 if bad else 0)
