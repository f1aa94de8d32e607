"""Programs that put `python -m bot serve` under load, before the stand-in Slack that the tests use too; see ../README.md."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # for `support`, the stand-ins
