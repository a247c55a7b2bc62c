"""Check the files of .github, and the other settings in YAML, against the schemas of those who read them, offline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCHEMAS = {
    "github-workflows": (".github/workflows/*.yml",),
    "github-issue-forms": (".github/ISSUE_TEMPLATE/[!c]*.yml",),
    "github-issue-config": (".github/ISSUE_TEMPLATE/config.yml",),
    "dependabot": (".github/dependabot.yml",),
    "readthedocs": (".readthedocs.yaml",),
}

if __name__ == "__main__":
    root = Path(__file__).parent.parent
    failed = False
    for schema, patterns in SCHEMAS.items():
        files = sorted(str(path) for pattern in patterns for path in root.glob(pattern))
        if not files:
            sys.exit(f"no file matches {', '.join(patterns)}")
        command = [sys.executable, "-m", "check_jsonschema", "--quiet", f"--builtin-schema=vendor.{schema}", *files]
        failed |= subprocess.run(command, check=False).returncode != 0  # noqa: S603
    command = [
        Path(sys.executable).parent / "zizmor",
        "--offline",
        "--quiet",
        "--no-progress",
        "--pedantic",
        str(root / ".github"),
    ]
    failed |= subprocess.run(command, check=False).returncode != 0  # noqa: S603
    sys.exit(failed)
