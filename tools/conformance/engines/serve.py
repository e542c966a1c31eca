"""The frame of every engine's script, which reads cases and writes outcomes.

An engine's script calls `serve(run)`. run(case) yields what it found for each group of layers as (expected group,
rows) and returns facts about the length. Any exception of an engine counts as its answer and becomes part of the
outcome.
"""

import gc
import json
import sys
import traceback

import rotations


class Found:
    """What an engine computes for one case."""

    def __init__(self):
        self.errors = {}
        self.facts = {}

    def rows(self, group, rows):
        for key, value in rotations.compare(rows, group).items():
            self.errors[key] = max(self.errors.get(key, 0.0), value)

    def scale(self, group, scale):
        """Compares the factor on the logits, if a module has one."""
        error = abs(scale / group["softmaxScale"] - 1)
        self.errors["scaleError"] = max(self.errors.get("scaleError", 0.0), error)


def outcome(case, run):
    found = Found()
    gc.collect()
    try:
        run(case, found)
        if not found.errors:
            raise LookupError("no rotary module was found")
    except Exception as error:
        if "--trace" in sys.argv:
            traceback.print_exc()
        text = " ".join(str(error).split())[:200]
        return {"id": case["id"], **found.facts, "error": f"{type(error).__name__}: {text}"}
    return {"id": case["id"], **found.facts, **found.errors}


def serve(run):
    """Reads cases from the file named first, and writes one outcome per line to the file named second."""
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    with open(sys.argv[2], "w") as out:
        for case in cases:
            out.write(json.dumps(outcome(case, run)) + "\n")
            out.flush()
