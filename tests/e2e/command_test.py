#!/usr/bin/env python3
"""A user's own program, from its submit over HTTP to what it leaves behind."""

import json
import os

from harness import Daemon, Folder, run, wait_for

SIMULATE = ("--simulate", "gpu=8GiB")


def output_of(folder, job, attempt=1):
    return os.path.join(folder.data, "jobs", str(job), str(attempt), "output")


def wait_for_gate(name="go"):
    """Shell words that wait until a test makes a folder in the job's output."""
    return f'while ! [ -e "$NIGHTSHIFT_OUTPUT/{name}" ]; do sleep 0.02; done'


def open_gate(folder, job, name="go", attempt=1):
    os.mkdir(os.path.join(output_of(folder, job, attempt), name))


def test_arguments_arrive_as_they_were_sent(bin_folder):
    arguments = ["plain", "two words", "'single' \"double\"", "line\nbreak", "",
                 "$HOME `id` $(id)", "야간 학습", "a\\b*?"]
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", "printf '%s\\0' \"$@\" > \"$NIGHTSHIFT_OUTPUT/argv\"",
                             "sh", *arguments)
        assert daemon.finish(job)["state"] == "succeeded"
        with open(os.path.join(output_of(folder, job), "argv"), "rb") as file:
            assert file.read().decode().split("\0")[:-1] == arguments


def test_environment_is_the_contracts_and_holds_no_secret(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("env", env={"MINE": "값 1"}, vram="1GiB")
        assert daemon.finish(job)["state"] == "succeeded"
        log = daemon.get(f"/api/v1/jobs/{job}/log").decode()
        seen = dict(line.split("=", 1) for line in log.splitlines() if "=" in line)
        ours = {name for name in seen if name.startswith("NIGHTSHIFT_")}
        assert ours == {"NIGHTSHIFT_JOB_ID", "NIGHTSHIFT_ATTEMPT", "NIGHTSHIFT_OUTPUT",
                        "NIGHTSHIFT_CHECKPOINT_DIR", "NIGHTSHIFT_PROGRESS", "NIGHTSHIFT_VRAM_BYTES"}, ours
        assert seen["NIGHTSHIFT_JOB_ID"] == str(job) and seen["NIGHTSHIFT_VRAM_BYTES"] == str(1 << 30), seen
        assert seen["CUDA_VISIBLE_DEVICES"] == "" and seen["MINE"] == "값 1", seen


def test_exit_codes_and_signals_are_kept(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        coded = daemon.command("sh", "-c", "exit 3")
        killed = daemon.command("sh", "-c", "kill -ABRT $$")
        coded, killed = daemon.finish(coded), daemon.finish(killed)
        assert coded["state"] == "failed" and coded["outcome"]["exit_code"] == 3, coded
        assert coded["outcome"]["code"] == "exit_code", coded
        assert killed["state"] == "failed" and killed["outcome"]["signal"] == 6, killed


def test_a_missing_program_is_named(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        done = daemon.finish(daemon.command("no-such-program", "--epochs", "3"))
        assert done["state"] == "failed" and done["outcome"]["code"] == "no_such_program", done
        assert '"no-such-program"' in done["outcome"]["message"], done


def test_exit_75_uses_a_retry(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", "exit 75", retries=1)
        waiting = daemon.wait_until(job, lambda found: found["retries_left"] == 0)
        assert waiting["state"] == "waiting", waiting
        daemon.post(f"/api/v1/jobs/{job}/cancel")
        done = daemon.finish(daemon.command("sh", "-c", "exit 75"))
        assert done["state"] == "failed" and done["outcome"]["code"] == "try_again", done


def test_stdout_and_stderr_keep_their_order(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c",
                             "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done; printf '\\377end'")
        assert daemon.finish(job)["state"] == "succeeded"
        wanted = "".join(f"o{i}\ne{i}\n" for i in range(1, 10)).encode() + b"\xffend"
        assert daemon.get(f"/api/v1/jobs/{job}/log") == wanted


def test_progress_and_artifacts_reach_the_api(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        line = json.dumps({"phase": "학습", "step": 3, "steps": 40, "metrics": {"loss": 0.25}})
        job = daemon.command("sh", "-c", f'echo "$1" >> "$NIGHTSHIFT_PROGRESS"; {wait_for_gate()}; '
                                         'mkdir "$NIGHTSHIFT_OUTPUT/m"; '
                                         'echo x > "$NIGHTSHIFT_OUTPUT/m/a b.txt"',
                             "sh", line)
        found = daemon.wait_until(job, lambda it: it["progress"] and it["progress"]["step"] == 3)
        progress = found["progress"]
        assert progress["phase"] == "학습" and progress["steps"] == 40, progress
        assert progress["metrics"] == {"loss": 0.25}, progress
        open_gate(folder, job)
        assert daemon.finish(job)["state"] == "succeeded"
        artifacts = daemon.get(f"/api/v1/jobs/{job}/artifacts")["artifacts"]
        assert [it["name"] for it in artifacts] == ["m/a b.txt"], artifacts


def test_a_program_that_saves_on_sigterm_is_preempted_and_goes_on(bin_folder):
    script = ('cd "$NIGHTSHIFT_CHECKPOINT_DIR"; '
              'if [ -e state ]; then cp state "$NIGHTSHIFT_OUTPUT/found"; exit 0; fi; '
              "trap 'echo 42 > state; exit 85' TERM; "
              'echo "{\\"step\\":12}" >> "$NIGHTSHIFT_PROGRESS"; '
              "while true; do sleep 0.02; done")
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        victim = daemon.command("sh", "-c", script, vram="6GiB", checkpoint="signal", preemptible=True)
        daemon.wait_until(victim, lambda it: it["progress"] and it["progress"]["step"] == 12)
        urgent = daemon.sleep_job(0, **{"class": "inference"}, vram="6GiB")
        assert daemon.finish(urgent)["state"] == "succeeded"
        done = daemon.finish(victim)
        assert done["state"] == "succeeded" and done["preemptions"] == 1 and done["attempt"] == 2, done
        with open(os.path.join(output_of(folder, victim, 2), "found"), encoding="ascii") as file:
            assert file.read() == "42\n"


def test_nothing_a_program_started_outlives_it(bin_folder):
    # The grandchild opens a session of its own and is an orphan by the time the program ends.
    script = ('setsid sh -c \'(sleep 1000 & echo $! > "$NIGHTSHIFT_OUTPUT/pid.tmp"; '
              'mv "$NIGHTSHIFT_OUTPUT/pid.tmp" "$NIGHTSHIFT_OUTPUT/pid"; exec sleep 1000) & exit 0\'; '
              'while ! [ -e "$NIGHTSHIFT_OUTPUT/pid" ]; do sleep 0.02; done; exit 0')
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", script)
        assert daemon.finish(job)["state"] == "succeeded"
        with open(os.path.join(output_of(folder, job), "pid"), encoding="ascii") as file:
            pid = file.read().strip()
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the grandchild")


def test_a_result_is_read_by_the_next_daemon(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c", f"{wait_for_gate()}; exit 7")
        daemon.wait_state(job, "running")
        wait_for(lambda: os.path.isdir(output_of(folder, job)), what="the output folder")
        daemon.kill()
        open_gate(folder, job)
        result = os.path.join(folder.data, "jobs", str(job), "1", "result.json")
        wait_for(lambda: os.path.exists(result), what="result.json")
        daemon.start()
        done = daemon.finish(job)
        assert done["state"] == "failed" and done["outcome"]["exit_code"] == 7, done
        ends = [event["kind"] for event in daemon.events(job)].count("failed")
        assert ends == 1, daemon.events(job)


run([value for name, value in list(globals().items()) if name.startswith("test_")])
