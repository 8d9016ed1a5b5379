"""What became of each mutant, in a file with a line for each try; the last one counts."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Results:
    path: Path

    def add(self, module: str, key: str, result: str, **more: object) -> None:
        with self.path.open("a") as file:
            told = {"module": module, "mutant": key, "result": result, **more}
            file.write(json.dumps(told) + "\n")

    def of(self, module: str) -> dict[str, str]:
        """Return the last result of each mutant of the module, by its key."""
        if not self.path.exists():
            return {}
        lines = map(json.loads, self.path.read_text().splitlines())
        return {line["mutant"]: line["result"] for line in lines if line["module"] == module}
