"""What the reports of a night say, beside the bars that a release has to reach.

All figures are of test splits, one a data set; the table gives mean and standard deviation over data sets.
"""

import csv
import json
import statistics

DAMAGED = {"crack", "uv_overcured", "micro_crack", "pre_damage"}
NORMAL = {"normal", "light_distortion"}
CLASSES = (("crack", 1), ("uv_overcured", 1), ("micro_crack", 1), ("pre_damage", 2))
ONE_CLASS = ("dream", "patchcore", "ensemble")
LEVELS = ("easy", "standard", "hard")
# What is aimed at, by level: least, or with a minus most; None is only reported.
BARS = {
    "crack": (0.999, 0.985, 0.95),
    "uv_overcured": (0.999, 0.93, 0.81),
    "micro_crack": (0.999, 0.96, 0.88),
    "pre_damage": (0.999, 0.955, 0.87),
    "all ROC": (0.999, 0.96, 0.89),
    "all PR": (0.995, 0.91, 0.76),
    "one-class crack": (0.998, 0.94, None),
    "one-class uv_overcured": (0.998, 0.82, None),
    "one-class micro_crack": (0.998, 0.88, None),
    "one-class pre_damage": (0.998, 0.83, None),
    "recall at precision .95": (0.98, 0.60, 0.20),
    "recall at precision .997": (0.98, None, None),
    "light distortion alarms": (-0.01, -0.06, None),
    "event within 2 frames": (0.99, 0.75, 0.65),
    "event alarmed": (0.98, 0.50, 0.24),
    "supervised - line": (None, 0.02, None),
}
# Recall at which light distortion is looked at.
RECALL = {"easy": 0.95, "standard": 0.80, "hard": 0.80}


def roc_auc(damaged, normal):
    """Share of pairs in the right order; ties count half."""
    ranked = sorted([(score, 1) for score in damaged] + [(score, 0) for score in normal])
    rank_sum, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        rank_sum += sum(is_damaged for _, is_damaged in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    return (rank_sum - len(damaged) * (len(damaged) + 1) / 2) / (len(damaged) * len(normal))


def operating_points(damaged, normal):
    """(threshold, precision, recall) of every threshold, from the strictest on."""
    ranked = sorted([(score, 1) for score in damaged] + [(score, 0) for score in normal], reverse=True)
    hits = 0
    for at, (score, is_damaged) in enumerate(ranked, 1):
        hits += is_damaged
        if at == len(ranked) or ranked[at][0] != score:
            yield score, hits / at, hits / len(damaged)


def average_precision(damaged, normal):
    total, before = 0.0, 0.0
    for _, precision, recall in operating_points(damaged, normal):
        total += precision * (recall - before)
        before = recall
    return total


def recall_at(damaged, normal, precision_min):
    points = operating_points(damaged, normal)
    reached = [recall for _, precision, recall in points if precision >= precision_min]
    return max(reached, default=0.0)


def scores_by_group(scores_csv, models):
    """{model: {group: [score of each test sequence]}}."""
    out = {name: {} for name in models}
    for row in csv.DictReader(scores_csv.splitlines()):
        if row["split"] != "test":
            continue
        for number, name in enumerate(models):
            column = "score" if number == 0 else f"score_{name}"
            out[name].setdefault(row["group"], []).append(float(row[column]))
    return out


def figures_of(level, goal1, goal2, cpd, scores_csv):
    """One data set's figures by name. `goal1`, `goal2` and `cpd` are reports; scores are goal 1's."""
    figures = {}
    groups = scores_by_group(scores_csv, list(goal1["models"]))["supervised"]
    damaged = [score for group in DAMAGED for score in groups.get(group, [])]
    normal = [score for group in NORMAL for score in groups.get(group, [])]
    for group, goal in CLASSES:
        report = goal1 if goal == 1 else goal2
        judged = report["models"] | report["baselines"]
        auc = {name: entry["groups"][group]["roc_auc"] for name, entry in judged.items()}
        figures[group] = auc["supervised"]
        figures["one-class " + group] = max(auc[name] for name in ONE_CLASS)
        for name in (*ONE_CLASS, *report["baselines"]):
            figures[f"{name} {group}"] = auc[name]
    figures["all ROC"] = roc_auc(damaged, normal)
    figures["all PR"] = average_precision(damaged, normal)
    figures["recall at precision .95"] = recall_at(damaged, normal, 0.95)
    figures["recall at precision .997"] = recall_at(damaged, normal, 0.997)
    threshold = next(
        score for score, _, recall in operating_points(damaged, normal) if recall >= RECALL[level]
    )
    distorted = groups["light_distortion"]
    figures["light distortion alarms"] = sum(score >= threshold for score in distorted) / len(distorted)
    line = goal1["baselines"]["logistic regression"]["roc_auc"]
    figures["supervised - line"] = goal1["models"]["supervised"]["roc_auc"] - line
    figures["leak guard silent"] = float(goal1["leak_guard"]["passed"])
    event = cpd["detectors"]["event"]
    figures["event within 2 frames"] = event["within_2_frames"]
    figures["event alarmed"] = event["alarmed_within_2_frames"]
    for name, entry in cpd["baselines"].items():
        figures[f"{name} within 2 frames"] = entry["within_2_frames"]
    return figures


def summary(studies):
    """{level: {figure: {mean, sd, n, bar, reached}}} of [(level, figures)]."""
    out = {}
    for level in dict.fromkeys(level for level, _ in studies):
        sets = [figures for of, figures in studies if of == level]
        out[level] = {}
        for name in sets[0]:
            values = [figures[name] for figures in sets]
            mean = statistics.mean(values)
            row = {"mean": mean, "sd": statistics.stdev(values) if len(values) > 1 else 0.0, "n": len(values)}
            bar = BARS.get(name, (None, None, None))[LEVELS.index(level)]
            if bar is not None:
                row |= {"bar": bar, "reached": mean >= bar if bar >= 0 else mean <= -bar}
            out[level][name] = row
    return out


def markdown(table):
    levels = list(table)
    lines = ["| figure | " + " | ".join(levels) + " |", "|---" * (len(levels) + 1) + "|"]
    names = list(dict.fromkeys(name for level in levels for name in table[level]))
    for name in names:
        cells = []
        for level in levels:
            row = table[level].get(name)
            if row is None:
                cells.append("")
                continue
            bar = ""
            if "bar" in row:
                sign = "≥" if row["bar"] >= 0 else "≤"
                bar = f" ({'' if row['reached'] else '**missed** '}{sign} {abs(row['bar']):g})"
            cells.append(f"{row['mean']:.3f} ± {row['sd']:.3f}{bar}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


