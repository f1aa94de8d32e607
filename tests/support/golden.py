"""Golden files of rendered blocks and views."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "slack" / "golden"


def golden(name: str, rendered: Any) -> None:
    """Compare with the golden file; with GOLDEN=write, write the file first."""
    file = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":  # look at what changed before committing it
        file.write_text(json.dumps(rendered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert rendered == json.loads(file.read_text(encoding="utf-8"))
