"""Print the lower bounds of what the library, its command line and its tests need, as exact requirements.

`make lowest` installs exactly these and runs the tests with them: a bound that nobody has tried is a guess.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

if __name__ == "__main__":
    for requirement in (*PROJECT["dependencies"], *EXTRAS["cli"], *EXTRAS["test"]):
        print(requirement.replace(">=", "=="))
