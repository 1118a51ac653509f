#!/usr/bin/env python3
"""Kinds that learn and search, preempted by an inference job or killed: what they leave in the end is, byte
for byte, what an undisturbed run of the same parameters leaves.

usage: resume_test.py BIN [NAME_PART...]
"""

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from fake_driver import quick_grace, worker_pid
from harness import Daemon, Folder, Skip, run

SIMULATE = ("--simulate", "gpu=8GiB")
VRAM = "6GiB"           # two of these do not share the card
RUN_LIMIT_S = 240       # a sanitized build on a busy machine
COUNTS = {"normal": 24, "crack": 12, "uv_overcured": 4}


class Inputs:
    """Features of a small data set and two models, made once for all tests by the worker alone."""

    made = None

    def __init__(self, bin_folder):
        self.bin, self.root = bin_folder, tempfile.mkdtemp(prefix="nightshift 재개 ")
        atexit.register(shutil.rmtree, self.root, ignore_errors=True)
        dataset = self.standalone("generate", rng="compat", counts=COUNTS) + "/dataset"
        features = self.standalone("extract", dataset=dataset, set="compat21", format="csv")
        self.frames = features + "/features.csv"
        dream = self.standalone("train.dream", features=self.frames, epochs=2, engine="native")
        temporal = self.standalone("train.temporal", features=self.frames, epochs=1, hidden=192, window=30)
        # Twice, so that scoring lasts: the daemon hears of progress five times a second.
        self.models = [dream + "/model", temporal + "/model", temporal + "/model"]

    @staticmethod
    def of(bin_folder):
        Inputs.made = Inputs.made or Inputs(bin_folder)
        return Inputs.made

    def standalone(self, kind, **params):
        out = os.path.join(self.root, f"{kind} {len(os.listdir(self.root))}")
        worker = os.path.join(self.bin, "nightshift-worker")
        done = subprocess.run([worker, "run", kind, "--params", json.dumps(params), "--out", out],
                              capture_output=True, text=True, timeout=RUN_LIMIT_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return out


class Trial:
    """A kind with its parameters under a daemon of its own: once undisturbed, once not."""

    def __init__(self, bin_folder, kind, saves=True, **params):
        self.bin, self.kind, self.saves, self.params = bin_folder, kind, saves, params
        self.folder = Folder()

    def __enter__(self):
        policy = () if self.saves else quick_grace(self.folder)
        self.daemon = Daemon(self.bin, self.folder, *SIMULATE, *policy).start()
        undisturbed = self.submit()
        done = self.daemon.finish(undisturbed, RUN_LIMIT_S)
        assert done["state"] == "succeeded" and done["attempt"] == 1, done
        self.wanted = self.files(undisturbed, 1)
        return self

    def __exit__(self, *_):
        self.daemon.__exit__()
        self.folder.__exit__()

    def submit(self, **fields):
        return self.daemon.submit(self.kind, params=self.params, vram=VRAM, **fields)

    def files(self, job, attempt):
        """Every file of the attempt's output, by its name."""
        output = os.path.join(self.folder.data, "jobs", str(job), str(attempt), "output")
        found = {}
        for folder, _, names in os.walk(output):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, output)] = file.read()
        assert found, output
        return found

    def stopped_amid(self, job, attempt, phase, first_step=1):
        """The worker stands still, at a step that is neither the first nor the last: whatever happens now
        happens in the middle, however quick the machine is."""
        def is_amid(found):
            assert found["state"] in ("waiting", "starting", "running"), found
            at = found["progress"] or {}
            return found["attempt"] == attempt and at.get("phase") == phase and at["step"] >= first_step
        self.daemon.wait_until(job, is_amid, RUN_LIMIT_S)
        pid = worker_pid(self.daemon, job)
        os.kill(pid, signal.SIGSTOP)
        at = self.daemon.job(job)["progress"]
        assert at["step"] < at["steps"], at
        return pid

    def preempt(self, job, phase):
        """An inference job takes the card from the job in the middle of its first attempt. One that saves
        nothing is killed when its grace is over."""
        pid = self.stopped_amid(job, 1, phase)
        urgent = self.daemon.sleep_job(0, vram=VRAM, **{"class": "inference"})
        self.daemon.wait_state(job, "yielding", "stopping")
        if self.saves:
            os.kill(pid, signal.SIGCONT)
        assert self.daemon.finish(urgent)["state"] == "succeeded"

    def kinds(self, job):
        return [event["kind"] for event in self.daemon.events(job)]

    def finish(self, job, attempts):
        done = self.daemon.finish(job, RUN_LIMIT_S)
        assert done["state"] == "succeeded" and done["attempt"] == attempts, (done, self.kinds(job))
        assert done["preemptions"] == 1, done

    def log(self, job, attempt):
        return self.daemon.get(f"/api/v1/jobs/{job}/log?attempt={attempt}").decode()

    def assert_resumed(self, job, attempt):
        """The attempt went on from the first one's checkpoint, which is not of the beginning."""
        log = self.log(job, attempt)
        at = re.search(r"resumed (?:at step|after trial) (\d+)", log)
        assert at and int(at.group(1)) > 0, log
        folder = os.path.join(self.folder.data, "jobs", str(job), "1", "checkpoint")
        assert any(name.endswith(f"-step-{at.group(1)}") for name in os.listdir(folder)), (log, folder)
        assert f"-step-{at.group(1)}\n" in log or f"-step-{at.group(1)} " in log, log

    def assert_as_undisturbed(self, job, attempt):
        found = self.files(job, attempt)
        assert sorted(found) == sorted(self.wanted), (sorted(found), sorted(self.wanted))
        different = [name for name in found if found[name] != self.wanted[name]]
        assert not different, different


def preempted_and_resumed(bin_folder, kind, phase, expected, **params):
    with Trial(bin_folder, kind, **params) as trial:
        assert set(expected) <= set(trial.wanted), sorted(trial.wanted)
        job = trial.submit()
        trial.preempt(job, phase)
        trial.finish(job, attempts=2)
        kinds = trial.kinds(job)
        order = [kinds.index(kind) for kind in ("yielding", "checkpoint", "preempted", "succeeded")]
        assert order == sorted(order) and kinds.count("preempted") == 1, kinds
        trial.assert_resumed(job, 2)
        trial.assert_as_undisturbed(job, 2)


def test_dream_in_our_own_engine(bin_folder):
    preempted_and_resumed(bin_folder, "train.dream", "train", ["curves.csv", "model/model.json"],
                          features=Inputs.of(bin_folder).frames, epochs=1200, engine="native")


def test_dream_in_libtorch(bin_folder):
    if not os.path.exists(os.path.join(bin_folder, "nightshift-torch.so")):
        raise Skip("this build has no LibTorch")
    preempted_and_resumed(bin_folder, "train.dream", "train", ["curves.csv", "model/model.json"],
                          features=Inputs.of(bin_folder).frames, epochs=120, engine="torch")


def test_temporal(bin_folder):
    preempted_and_resumed(bin_folder, "train.temporal", "train", ["curves.csv", "model/model.json"],
                          features=Inputs.of(bin_folder).frames, epochs=120, hidden=16)


def test_optimize_by_tpe(bin_folder):
    preempted_and_resumed(bin_folder, "optimize", "search", ["trials.jsonl", "best.json"],
                          features=Inputs.of(bin_folder).frames, target="dream", trials=48,
                          space={"epochs": {"low": 40, "high": 120}, "batch": {"low": 8, "high": 64}})


def test_an_ensemble_starts_over(bin_folder):
    inputs = Inputs.of(bin_folder)
    with Trial(bin_folder, "train.ensemble", saves=False, models=inputs.models,
               features=inputs.frames) as trial:
        job = trial.submit(preemptible=True)        # it saves nothing, so nobody may stop it unless told so
        trial.preempt(job, "score")
        trial.finish(job, attempts=2)
        kinds = trial.kinds(job)
        assert kinds.count("preempted") == 1 and "checkpoint" not in kinds, kinds
        assert "goes on from" not in trial.log(job, 2), trial.log(job, 2)
        trial.assert_as_undisturbed(job, 2)


def test_a_kill_after_the_resume_goes_back_to_the_same_checkpoint(bin_folder):
    with Trial(bin_folder, "train.temporal", features=Inputs.of(bin_folder).frames, epochs=120,
               hidden=16) as trial:
        job = trial.submit(retries=1)
        trial.preempt(job, "train")
        saved_at = trial.daemon.wait_until(job, lambda found: found["attempt"] == 2)["progress"]["step"]
        os.kill(trial.stopped_amid(job, 2, "train", saved_at + 1), signal.SIGKILL)
        trial.finish(job, attempts=3)
        assert trial.daemon.job(job)["retries_left"] == 0 and "retrying" in trial.kinds(job), trial.kinds(job)
        trial.assert_resumed(job, 2)
        trial.assert_resumed(job, 3)
        trial.assert_as_undisturbed(job, 3)


def test_a_kill_before_any_checkpoint_starts_over(bin_folder):
    with Trial(bin_folder, "train.dream", features=Inputs.of(bin_folder).frames, epochs=1200,
               engine="native") as trial:
        job = trial.submit(retries=1)
        os.kill(trial.stopped_amid(job, 1, "train"), signal.SIGKILL)
        done = trial.daemon.finish(job, RUN_LIMIT_S)
        assert done["state"] == "succeeded" and done["attempt"] == 2 and done["retries_left"] == 0, done
        assert "resumed" not in trial.log(job, 2), trial.log(job, 2)
        trial.assert_as_undisturbed(job, 2)


run([value for name, value in list(globals().items()) if name.startswith("test_")])
