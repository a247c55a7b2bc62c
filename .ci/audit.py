"""Look the installed packages up among known vulnerabilities.

Ends with 1 when one is known. Where the data of pip-audit cannot be reached it says so and ends with 0: a machine
without a network must be able to run everything else.
"""

from __future__ import annotations

import json
import subprocess
import sys

if __name__ == "__main__":
    options = ("--skip-editable", "--progress-spinner=off", "--timeout=10", "--format=json")
    asked = subprocess.run([sys.executable, "-m", "pip_audit", *options], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"not audited: pip-audit gave no result: {asked.stderr.strip()[-300:]}")
        sys.exit(0)
    looked_up = [package for package in packages if "vulns" in package]
    known = [(package["name"], package["version"], each["id"]) for package in looked_up for each in package["vulns"]]
    for name, version, advisory in known:
        print(f"{name} {version}: {advisory}")
    print(f"{len(looked_up)} of {len(packages)} packages looked up, {len(known)} known vulnerabilities")
    if not looked_up:
        print("not audited: no package was found in the data of pip-audit, which is out of reach here")
    sys.exit(1 if known else 0)
