"""Rows of results: one shape for the terminal, JSON and the README's table."""


class Figures:
    def __init__(self):
        self.rows = []

    def add(self, name, what, value, unit, aim=""):
        """A plain figure: `what` is the sentence of the README's table."""
        self.rows.append({"name": name, "what": what, "value": value, "unit": unit, "aim": aim})

    def compare(self, name, peer, what, peer_s, ours_s):
        self.rows.append(
            {
                "name": f"{name}/{peer}",
                "what": what,
                "ratio": ours_s / peer_s if peer_s else 0.0,
                "peer_s": peer_s,
                "ours_s": ours_s,
            }
        )

    def text(self):
        lines = []
        for row in self.rows:
            if "ratio" in row:
                lines.append(f"{row['name']} {row['ratio']:.2f} {row['peer_s']:.6f} {row['ours_s']:.6f}")
            else:
                lines.append(f"{row['name']} {row['value']:.3g} {row['unit']}")
        return "\n".join(lines)

    def markdown(self):
        lines = ["| figure | measured | aim |", "|---|---|---|"]
        for row in self.rows:
            if "ratio" in row:
                measured = f"{row['ours_s'] * 1000:.2f} ms, beside it {row['peer_s'] * 1000:.2f} ms"
            else:
                measured = f"{row['value']:.3g} {row['unit']}"
            lines.append(f"| {row['what']} | {measured} | {row.get('aim', '')} |")
        return "\n".join(lines)
