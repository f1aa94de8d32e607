"""Known holes in what requirements.txt locks: pip-audit, and an honest word where no advisory database can be reached.

Run by `make audit`. pip-audit says "No known vulnerabilities found" also when it could look nothing up; here what was
looked up is counted. `--strict`: a package that wasn't looked up is a failure, too.

Run by `make sbom` as `audit.py --sbom FILE`: writes a CycloneDX SBOM of what is locked, and fails if it lacks any of that.
"""

from __future__ import annotations

import json
import os
import re
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
    if "--sbom" in sys.argv:
        return _write_sbom(Path(sys.argv[sys.argv.index("--sbom") + 1]))
    told, code = verdict(_reports(), is_strict="--strict" in sys.argv)
    print(told)
    return code


def verdict(reports: Any, *, is_strict: bool) -> tuple[str, int]:
    """What to say of the first report in which something was looked up, and the exit code.

    `is_strict`: a package that wasn't looked up is a failure.
    """
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
        return "\n".join(told), int(bool(holes or (skipped and is_strict)))
    failed = "that is a failure" if is_strict else "nothing failed"
    return f"No advisory database can be reached from here: nothing was looked up, and {failed}.", int(is_strict)


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


def unlisted(bom: dict[str, Any], lock: str) -> list[str]:
    """The pins of a lock that an SBOM lacks, with that version and all of its hashes."""
    listed = {
        (component["name"], component["version"], each["content"])
        for component in bom["components"]
        for reference in component.get("externalReferences", [])
        for each in reference.get("hashes", [])
    }
    pins = re.findall(r"^([\w.-]+)==([\w.]+)((?:.*\\\n)+.*)", lock, re.MULTILINE)
    return [
        f"{name} {version}"
        for name, version, rest in pins
        if not {(name, version, each) for each in re.findall(r"sha256:(\w+)", rest)} <= listed
    ]


def _write_sbom(path: Path) -> int:
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", "--pyproject", "pyproject.toml"]
    command += ["--spec-version", "1.6", "--output-reproducible", "requirements.txt"]
    # It warns that requirements.txt doesn't tell which package needs which.
    ran = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "ignore"}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        print(ran.stderr)
        return ran.returncode
    bom, lock = json.loads(ran.stdout), (ROOT / "requirements.txt").read_text(encoding="utf-8")
    source = (ROOT / "bot" / "__init__.py").read_text(encoding="utf-8")
    bom["metadata"]["component"]["version"] = re.findall(r'^__version__ = "(.+)"', source, re.MULTILINE)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bom, indent=2) + "\n", encoding="utf-8")
    missing = unlisted(bom, lock)
    print(f"{len(bom['components'])} packages in {path}." if not missing else f"The SBOM lacks {', '.join(missing)}.")
    return int(bool(missing))


if __name__ == "__main__":
    raise SystemExit(main())
