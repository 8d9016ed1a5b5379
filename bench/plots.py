"""Pictures of what was measured: a herd's arrivals, and cost against the number of entries.

.venv-bench/bin/python bench/plots.py bench/results
"""

import json
import sys
from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OURS = ["#1f5fa8", "#2a9d8f", "#7b4fa3", "#3a3a3a"]
THEIRS = ["#e07a1f", "#c0392b", "#b8860b", "#8c6d5a", "#d87093", "#999999", "#6b8e23", "#cd853f"]


def styles(names):
    ours, theirs = iter(OURS * 3), iter(THEIRS * 3)
    return {name: style(name, ours, theirs) for name in names}


def style(name, ours, theirs):
    if name.startswith("beatd"):
        return {"color": next(ours), "lw": 2.2}
    if name.startswith("bare"):  # the machine's limit
        return {"color": "black", "lw": 1.2, "ls": ":"}
    return {"color": next(theirs), "lw": 1.2, "ls": "--"}


def finite(runs, key):
    return [run[key] for run in runs if key in run and run[key] != float("inf")]


def arrivals(path, target):
    """How much of the herd is in the broker, by time since its moment."""
    found = json.loads(path.read_text())
    figure, axes = plt.subplots(figsize=(9, 6.2))
    shown = {
        who: min((run for run in runs if run.get("steps")), key=lambda run: run["last_ms"])
        for who, runs in found["runs"].items()
        if any(run.get("steps") for run in runs)
    }
    for who, style in styles(shown).items():
        late, there = [], 0
        counts = []
        for at, many in shown[who]["steps"]:
            there += many
            late.append(max(at, 1e-3) * 1000)
            counts.append(there)
        axes.step(
            late,
            counts,
            where="post",
            label=f"{who}: {counts[-1]:,} in {late[-1]:,.0f} ms",
            **style,
        )
    axes.set(
        xscale="log",
        xlabel="ms after the moment (log)",
        ylabel="messages in the broker",
        title=f"{found['case']}: all entries due in one instant, the best run of each",
    )
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    figure.tight_layout()
    figure.savefig(target, dpi=110)


def scaling(paths, target):
    """Cost against the number of entries in the store, none of them due."""
    found = sorted((json.loads(path.read_text()) for path in paths), key=lambda one: one["size"])
    names = list(dict.fromkeys(who for one in found for who in one["runs"]))
    kinds = [
        ("ready_s", "seconds until ready"),
        ("rss_mib", "memory, MiB"),
        ("idle_cpu", "idle, share of a core"),
        ("edit_s", "seconds until an edit acts"),
    ]
    figure, all_axes = plt.subplots(2, 2, figsize=(11, 8))
    for axes, (key, words) in zip(all_axes.flat, kinds, strict=True):
        for who, style in styles(names).items():
            points = [
                (one["size"], max(median(values), 1e-4))
                for one in found
                if (values := finite(one["runs"].get(who, []), key))
            ]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", ms=4, label=who, **style)
        axes.set(xscale="log", xlabel="entries in the store", title=words)
        if key == "rss_mib":
            axes.set_ylim(bottom=0)
        else:
            axes.set_yscale("log")
        axes.grid(alpha=0.3, which="both")
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=3, loc="lower center", fontsize=8)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    figure.savefig(target, dpi=110)


def main():
    folder = Path(sys.argv[1])
    for path in folder.glob("herd*.json"):
        arrivals(path, path.with_suffix(".png"))
    if paths := list(folder.glob("scale-*.json")):
        scaling(paths, folder / "scale.png")


if __name__ == "__main__":
    main()
