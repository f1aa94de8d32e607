"""Known holes in what requirements.txt locks: pip-audit, and an honest word where no advisory database can be reached.

Run by `make audit`. pip-audit says "No known vulnerabilities found" also when it could look nothing up; here what was
looked up is counted. `--strict`: having looked up nothing is a failure, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVICES = ("osv", "pypi")
"""pip-audit's names for the databases that it can ask, the first that answers is enough."""
LONGEST = 90
"""Seconds for one of them."""


def main() -> int:
    told, code = verdict(_reports())
    print(told)
    return code or (told.startswith("No advisory database") and "--strict" in sys.argv)


def verdict(reports: Any) -> tuple[str, int]:
    """What to say of the first report in which something was looked up, and the exit code."""
    for report in reports:
        looked_up = [each for each in report.get("dependencies", []) if "vulns" in each]
        if not looked_up:
            continue
        skipped = [each["name"] for each in report["dependencies"] if "vulns" not in each]
        holes = [
            f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none yet'}"
            for each in looked_up
            for hole in each["vulns"]
        ]
        told = [*holes, f"{len(looked_up)} packages looked up, {len(holes)} known holes."]
        told += [f"Not looked up: {', '.join(skipped)}."] if skipped else []
        return "\n".join(told), int(bool(holes))
    return "No advisory database can be reached from here: nothing was looked up, and nothing failed.", 0


def _reports() -> Any:
    for service in SERVICES:
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--requirement",
            str(ROOT / "requirements.txt"),
            "--require-hashes",
        ]
        command += [
            "--disable-pip",
            "--vulnerability-service",
            service,
            "--format",
            "json",
            "--progress-spinner",
            "off",
        ]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
            yield json.loads(ran.stdout)
        except (ValueError, subprocess.TimeoutExpired):  # no report: it couldn't ask
            continue


if __name__ == "__main__":
    raise SystemExit(main())
