"""Print the n-th shell block of README.md, so that CI runs what readers are told to run.

Usage: python3 .ci/readme_block.py 2
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def shell_blocks(text: str) -> list[str]:
    """The bodies of all fenced blocks marked ``sh``, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    sys.stdout.write(shell_blocks(README.read_text(encoding="utf-8"))[int(sys.argv[1]) - 1])
