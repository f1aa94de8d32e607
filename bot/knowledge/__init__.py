"""The curated knowledge: read from a folder of YAML, checked, frozen."""

from bot.knowledge.pack import PackError, fingerprint, inspect, load
from bot.knowledge.reader import Fault

__all__ = ["Fault", "PackError", "fingerprint", "inspect", "load"]
