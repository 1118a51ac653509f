"""The jobs of a night: every kind of the product over several data sets, as one list for `jobs:batch`."""

import hashlib


def seed_of(commit, level, number):
    """A data set that nobody has seen before the code was finished: its seed comes from the commit."""
    return int(hashlib.sha256(f"{commit}/{level}/{number}".encode()).hexdigest()[:8], 16)


class Plan:
    """A list of jobs that name each other by their place in it."""

    def __init__(self):
        self.jobs = []

    def add(self, kind, /, **params):
        self.jobs.append({"kind": kind, "name": f"night {len(self.jobs)} {kind}", "params": params})
        return f"job:#{len(self.jobs) - 1}"


def place_of(reference):
    return int(reference.rsplit("#", 1)[1])


def add_study(plan, preset, level, seed):
    """One data set of our own, the models on it, and what `evaluate` says: places of the reports."""
    data = plan.add("generate", preset=preset, difficulty=level, seed=seed)
    table = plan.add("extract", dataset=data)
    one_class = [
        plan.add("train.dream", features=table, dataset=data, seed=seed),
        plan.add("train.patchcore", features=table, dataset=data, seed=seed, k=5, sampling="greedy"),
    ]
    models = [
        *one_class,
        plan.add("train.ensemble", features=table, dataset=data, models=one_class),
        plan.add("train.supervised", features=table, dataset=data, seed=seed),
    ]
    judged = {"features": table, "dataset": data, "models": models}
    return {
        "level": level,
        "seed": seed,
        "data": data,
        "table": table,
        "models": models,
        "goal1": plan.add("evaluate", goal="1", **judged),
        "goal2": plan.add("evaluate", goal="2", **judged),
        "cpd": plan.add("evaluate", goal="cpd", dataset=data),
    }


def add_other_kinds(plan, study):
    """What looks at data and models in other ways."""
    plan.add("score", model=study["models"][1], features=study["table"])
    plan.add("detect.cpd", dataset=study["data"], method="cusum")
    plan.add("analyze", dataset=study["data"])
    plan.add(
        "optimize",
        target="patchcore",
        method="tpe",
        trials=8,
        features=study["table"],
        dataset=study["data"],
    )


def add_reference(plan, preset):
    """The reference's own data set, models and protocol."""
    data = plan.add("generate", preset=preset, rng="compat")
    table = plan.add("extract", dataset=data, set="compat81")
    models = [
        plan.add("train.dream", features=table, dataset=data, epochs=15),
        plan.add("train.patchcore", features=table, dataset=data),
        plan.add("train.temporal", features=table, dataset=data, epochs=5, compat=True),
    ]
    plan.add("evaluate", goal="1", protocol="compat", features=table, dataset=data, models=models)
    plan.add("evaluate", goal="cpd", protocol="compat", dataset=data)
    plan.add("vectors", dataset=data, sequence="crack_in_bending/crack_0001")
    return plan.add("export", dataset=data)
