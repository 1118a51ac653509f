"""Public data sets that scikit-learn carries, as tables for both sides, and what its detectors reach on them.
Run by the Python of the peers' virtual environment.

usage: own_peer.py FOLDER    writes NAME-learn.csv and NAME-judge.csv, prints one JSON object

Rows with an even number are learnt from, rows with an odd one judged. Detectors see the normal rows alone,
the classifier all of them; both see z-scores of the rows learnt from.
"""

import json
import os
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS, FORESTS = 5, 5
DAMAGED_DIGIT = 4


def tables():
    """(name, rows, names of columns, 1 for damaged, group of each row)."""
    cancer, digits = load_breast_cancer(), load_digits()
    names = [name.replace(" ", "_") for name in cancer.feature_names]
    large = cancer.data[:, 0] > np.median(cancer.data[:, 0])
    yield "breast_cancer", cancer.data, names, 1 - cancer.target, np.where(large, "large", "small")
    pixels = [f"p{number}" for number in range(digits.data.shape[1])]
    groups = np.array([f"digit {digit}" for digit in digits.target])
    yield "digits", digits.data, pixels, (digits.target == DAMAGED_DIGIT).astype(int), groups


def write(path, rows, names, damaged, groups):
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join([*names, "group", "damaged"]) + "\n")
        for row, group, label in zip(rows, groups, damaged):
            file.write(",".join([*(repr(float(value)) for value in row), group, str(label)]) + "\n")


def z_scores(rows, of):
    mean, spread = of.mean(axis=0), of.std(axis=0, ddof=1)
    return np.where(spread > 1e-9, (rows - mean) / np.where(spread > 1e-9, spread, 1), 0)


def reached(rows, damaged):
    learn = np.arange(len(rows)) % 2 == 0
    normal, judged, labels = rows[learn & (damaged == 0)], rows[~learn], damaged[~learn]
    normals, judge = z_scores(normal, normal), z_scores(judged, normal)
    neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(normals)
    forests = [
        roc_auc_score(labels, -IsolationForest(random_state=seed).fit(normals).score_samples(judge))
        for seed in range(FORESTS)
    ]
    line = LogisticRegression(max_iter=10_000).fit(z_scores(rows[learn], rows[learn]), damaged[learn])
    by_line = line.decision_function(z_scores(judged, rows[learn]))
    return {
        "knn": roc_auc_score(labels, neighbours.kneighbors(judge)[0].mean(axis=1)),
        "forest": float(np.mean(forests)),
        "line": roc_auc_score(labels, by_line),
    }


def main():
    folder, found = sys.argv[1], {"version": sklearn.__version__, "tables": {}}
    for name, rows, names, damaged, groups in tables():
        for first, part in enumerate(("learn", "judge")):
            path = os.path.join(folder, f"{name}-{part}.csv")
            write(path, rows[first::2], names, damaged[first::2], groups[first::2])
        found["tables"][name] = reached(rows, damaged)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
