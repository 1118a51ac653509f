"""Tables that have nothing to do with panels: our models beside scikit-learn's, on data that it carries."""

import json
import os
import shutil
import subprocess
import tempfile

from peer_install import Missing, python_packages

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 600
# (kind, parameters, the peer's name, what it stands for)
MODELS = (
    ("train.patchcore", {"bank": 1_000_000, "sampling": "greedy", "k": 5}, "knn", "five nearest neighbours"),
    ("train.dream", {"epochs": 60, "engine": "native"}, "forest", "isolation forest, mean of five"),
    ("train.supervised", {}, "line", "logistic regression"),
)
# A whole bank is the peer's own definition.
SAME = 1e-9


def worker(bin_folder, kind, out, **params):
    argv = [os.path.join(bin_folder, "nightshift-worker"), "run", kind, "--device", "cpu"]
    argv += ["--params", json.dumps(params), "--out", out]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{kind} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return out


def ours(bin_folder, folder, table, kind, params):
    """ROC AUC on the rows that were not learnt from."""
    roles = {"label": "damaged", "group": "group"}
    out = os.path.join(folder, f"{table} {kind}")
    normalize = {} if kind == "train.supervised" else {"normalize": True}
    learn, judge = (os.path.join(folder, f"{table}-{part}.csv") for part in ("learn", "judge"))
    worker(bin_folder, kind, out, features=learn, **roles, **normalize, **params)
    report = worker(bin_folder, "evaluate", out + " report", features=judge, models=out + "/model", **roles)
    with open(os.path.join(report, "report.json"), encoding="utf-8") as file:
        return next(iter(json.load(file)["models"].values()))["roc_auc"]


def own_tables(bin_folder, figures):
    folder = tempfile.mkdtemp(prefix="nightshift own ")
    try:
        python = python_packages("python", os.path.join(HERE, "peer_packages.txt"))
        argv = [python, os.path.join(HERE, "own_peer.py"), folder]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode != 0:
            raise Missing(f"scikit-learn: {done.stderr.strip().splitlines()[-1:]}")
        peer = json.loads(done.stdout)
        for table, reached in peer["tables"].items():
            for kind, params, name, words in MODELS:
                auc = ours(bin_folder, folder, table, kind, params)
                if name == "knn" and abs(auc - reached[name]) > SAME:
                    raise RuntimeError(f"{table}: a whole bank gives {auc}, neighbours {reached[name]}")
                what = f"{table}: {kind} beside {words} of scikit-learn {peer['version']}"
                model = kind.rsplit(".", 1)[1]
                figures.add(f"own_{table}_{model}", what, auc, "ROC AUC", f"{reached[name]:.3g}")
    except Missing as reason:
        figures.note(f"left out: own tables: {reason}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


BENCHMARKS = {"own_tables": own_tables}
