"""Rows of results: one shape for the terminal, JSON and the README's table."""


import hashlib
import os

import roofline


def sha256_of(path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            found.update(block)
    return found.hexdigest()


def reached(row):
    """An aim is `>= RATIO x`; a row may have none."""
    if not row["aim"]:
        return ""
    return "yes" if row["ratio"] >= float(row["aim"].split()[1]) else "**missed**"


class Figures:
    def __init__(self):
        self.rows = []
        self.inputs = {}
        self.limits, self.machine_limits = [], {}
        self.notes = []
        self.growth = {}

    def add(self, name, what, value, unit, aim=""):
        """A plain figure: `what` is the sentence of the README's table."""
        self.rows.append({"name": name, "what": what, "value": value, "unit": unit, "aim": aim})

    def compare(self, name, peer, what, peer_s, ours_s, aim="", estimated=False, **more):
        """Beside a peer of the same run, or what one would take here, `estimated` from a recorded run. The
        ratio says how many times as long the peer takes. `more` goes into the JSON alone."""
        self.rows.append(
            {
                "name": f"{name}/{peer}",
                "what": what,
                "ratio": peer_s / ours_s if ours_s else 0.0,
                "peer_s": peer_s,
                "ours_s": ours_s,
                "aim": aim,
                **({"estimated": True} if estimated else {}),
                **more,
            }
        )

    def note(self, text):
        """What a reader of the figures has to know: a peer that was left out, and why."""
        self.notes.append(text)

    def note_once(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def read_inputs(self, folder, prefix=""):
        """The hash of every array that both sides read: the same inputs, the same figures to compare."""
        for name in sorted(os.listdir(folder)):
            if name.endswith(".bin") and prefix + name not in self.inputs:
                self.inputs[prefix + name] = sha256_of(os.path.join(folder, name))

    def grow(self, name, unit, jobs, value):
        """One point of a curve over the number of jobs."""
        curve = self.growth.setdefault(name, {"unit": unit, "points": []})
        curve["points"].append([jobs, value])

    def text(self):
        lines = []
        for row in self.rows:
            if "ratio" in row:
                estimated = " estimated" if row.get("estimated") else ""
                missed = " MISSED " + row["aim"] if reached(row) == "**missed**" else ""
                lines.append(f"{row['name']} {row['ratio']:.2f} {row['peer_s']:.6f} {row['ours_s']:.6f}"
                             f"{estimated}{missed}")
            else:
                lines.append(f"{row['name']} {row['value']:.3g} {row['unit']}")
        for name, curve in self.growth.items():
            points = ", ".join(f"{jobs:,}: {value:.3g}" for jobs, value in curve["points"])
            lines.append(f"{name} [{curve['unit']}] {points}")
        lines += [f"machine/{name} {value}" for name, value in self.machine_limits.items()]
        lines += roofline.words(self.limits)
        return "\n".join(lines + [f"note: {note}" for note in self.notes])

    def markdown(self):
        lines = ["| figure | ours | peer | ratio | aim | reached? |", "|---|---|---|---|---|---|"]
        for row in self.rows:
            if "ratio" not in row:
                lines.append(f"| {row['what']} | {row['value']:.3g} {row['unit']} | | | {row['aim']} | |")
                continue
            peer = row["name"].split("/")[1] + (" (estimated)" if row.get("estimated") else "")
            lines.append(f"| {row['what']} | {row['ours_s']:.3g} s | {peer} {row['peer_s']:.3g} s | "
                         f"{row['ratio']:.2f} | {row['aim']} | {reached(row)} |")
        if self.limits:
            lines += ["", roofline.markdown(self.limits)]
        return "\n".join(lines)

    def document(self, machine):
        return {"machine": machine, "rows": self.rows, "growth": self.growth, "notes": self.notes,
                "inputs": self.inputs, "limits": self.limits, "machine_limits": self.machine_limits}
