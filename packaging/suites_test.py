#!/usr/bin/env python3
"""Holds packaging/suites.py to its word: what crashes, hangs, says nothing or runs nothing is a failure."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class SuitesTest(unittest.TestCase):
    def run_with(self, text, *arguments, programs=()):
        with tempfile.TemporaryDirectory(prefix="밤 근무 ") as box:
            with open(os.path.join(box, "suites.txt"), "w", encoding="utf-8") as file:
                file.write(text)
            for name in programs:
                path = os.path.join(box, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("#!/bin/sh\necho '1 passed, 0 failed, 0 skipped'\n")
                os.chmod(path, 0o755)
            done = subprocess.run(
                [
                    sys.executable,
                    os.path.join(HERE, "suites.py"),
                    "--suites",
                    os.path.join(box, "suites.txt"),
                    "--bin",
                    box,
                    *arguments,
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            return done.returncode, done.stdout, done.stdout.strip().splitlines()[-1]

    def test_adds_up(self):
        code, _, last = self.run_with(
            "a | x | 9 | echo '3 passed, 0 failed, 1 skipped'\n"
            "b | x | 9 | echo noise; echo '4 passed, 0 failed, 0 skipped'\n"
        )
        self.assertEqual((code, last), (0, "7 passed, 0 failed, 1 skipped"))

    def test_failure_shows_output(self):
        code, out, last = self.run_with(
            "a | x | 9 | echo why; echo '3 passed, 2 failed, 0 skipped'; false\n"
        )
        self.assertEqual((code, last), (1, "3 passed, 2 failed, 0 skipped"))
        self.assertIn("why", out)

    def test_silence_is_a_failure(self):
        self.assertEqual(self.run_with("a | x | 9 | true\n")[2], "0 passed, 1 failed, 0 skipped")

    def test_crash_is_a_failure(self):
        code, out, last = self.run_with("a | x | 9 | echo '3 passed, 0 failed, 0 skipped'; kill -SEGV $$\n")
        self.assertEqual((code, last), (1, "3 passed, 1 failed, 0 skipped"))
        self.assertIn("status -11", out)

    def test_no_test_at_all_is_a_failure(self):
        self.assertEqual(
            self.run_with("a | x | 9 | echo '0 passed, 0 failed, 0 skipped'\n")[2],
            "0 passed, 1 failed, 0 skipped",
        )

    def test_limit(self):
        code, out, last = self.run_with("a | x | 1 | sleep 50 & sleep 50\n")
        self.assertEqual((code, last), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("past its limit of 1 s", out)

    def test_what_hangs_says_where(self):
        script = "import signal\\ndef never_ends():\\n signal.pause()\\nnever_ends()"
        code, out, last = self.run_with(
            f"a | x | 1 | printf '{script}' > $TMPDIR/a.py; python3 $TMPDIR/a.py; true\n"
        )
        self.assertEqual((code, last), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("in never_ends", out)

    def test_patience_stretches_limits(self):
        text = "a | x | 1 | sleep 1.5; echo '1 passed, 0 failed, 0 skipped'\n"
        self.assertEqual(self.run_with(text)[2], "0 passed, 1 failed, 0 skipped")
        self.assertEqual(self.run_with(text, "--patience", "20")[2], "1 passed, 0 failed, 0 skipped")

    def test_beside_each_other(self):
        # Each of the two waits for the other's file.
        with tempfile.TemporaryDirectory() as box:
            meet = (
                "touch {box}/{own}; for i in $(seq 500); do [ -e {box}/{other} ] && break; sleep 0.02; done; "
                "[ -e {box}/{other} ] && echo '1 passed, 0 failed, 0 skipped'"
            )
            text = "a | x | 9 | " + meet.format(box=box, own="a", other="b") + "\n"
            text += "b | x | 8 | " + meet.format(box=box, own="b", other="a") + "\n"
            text += "c | x | 7 | echo why; echo '2 passed, 1 failed, 0 skipped'\n"
            code, out, last = self.run_with(text, "--at-once", "2")
        self.assertEqual((code, last), (1, "4 passed, 1 failed, 0 skipped"))
        self.assertIn("why", out)

    def test_program_that_was_not_built(self):
        self.assertEqual(
            self.run_with("a | x | 9 | $BIN/nightshift_a_tests\n")[2], "0 passed, 1 failed, 0 skipped"
        )

    def test_program_that_is_not_listed(self):
        code, out, last = self.run_with(
            "a | x | 9 | $BIN/nightshift_a_tests\n", programs=("nightshift_a_tests", "nightshift_b_tests")
        )
        self.assertEqual((code, last), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("nightshift_b_tests is built", out)

    def test_tags(self):
        text = (
            "a | quick | 9 | echo '1 passed, 0 failed, 0 skipped'\n"
            "b | long | 9 | echo '10 passed, 0 failed, 0 skipped'\n"
        )
        self.assertEqual(self.run_with(text, "--without", "long")[2], "1 passed, 0 failed, 0 skipped")
        self.assertEqual(self.run_with(text, "--with", "long")[2], "10 passed, 0 failed, 0 skipped")
        self.assertEqual(self.run_with(text, "--only", "a")[2], "1 passed, 0 failed, 0 skipped")

    def test_targets_of_a_tag_are_what_its_suites_need(self):
        text = (
            "a | x | 9 | $BIN/nightshift_a_tests\n"
            "b | x y | 9 | python3 b.py $BIN\n"
            "e | z | 9 | env TMPDIR=/dev/shm $BIN/nightshift_e_tests -tc=a\n"
            "c | x | 9 | python3 c.py $BIN\n"
            "d | y | 9 | python3 d.py\n"
        )
        programs = "nightshift nightshiftd nightshift-worker nightshift-command"
        self.assertEqual(self.run_with(text, "--targets", "x")[2], "nightshift_a_tests " + programs)
        self.assertEqual(self.run_with(text, "--targets", "z")[2], "nightshift_e_tests")
        self.assertEqual(self.run_with(text, "--targets", "y")[2], programs)

    def test_tests_see_no_daemon_of_the_user(self):
        os.environ["NIGHTSHIFT_DATA"] = "/home/somebody/data"
        try:
            text = "a | x | 9 | test -z \"$NIGHTSHIFT_DATA\" && echo '1 passed, 0 failed, 0 skipped'\n"
            self.assertEqual(self.run_with(text)[2], "1 passed, 0 failed, 0 skipped")
        finally:
            del os.environ["NIGHTSHIFT_DATA"]


if __name__ == "__main__":
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(SuitesTest)
    result = unittest.TextTestRunner(verbosity=0).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
