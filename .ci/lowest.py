"""Print the lower bounds of the library, of its extras for users and of its tests, as exact requirements.

`make lowest` installs exactly these and runs the tests with them: a bound that nobody has tried is a guess. The bounds
of `docs`, `bench` and `dev` are the versions that CI ran when they were written down.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
UNTRIED = ("docs", "bench", "dev")

if __name__ == "__main__":
    tried = [requirement for name, extra in EXTRAS.items() if name not in UNTRIED for requirement in extra]
    print(*dict.fromkeys(each.replace(">=", "==") for each in (*PROJECT["dependencies"], *tried)), sep="\n")
