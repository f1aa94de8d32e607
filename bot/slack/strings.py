"""The strings of Slack's own surfaces: defaults from strings.yaml, overridden by a pack's voice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

from bot.model import VoiceKey

Strings = Mapping[str, str]
"""The strings of strings.yaml by their keys."""


@cache
def default_strings() -> Strings:
    """The shipped strings."""
    text = resources.files(__package__).joinpath("strings.yaml").read_text(encoding="utf-8")
    return MappingProxyType({str(key): str(line) for key, line in yaml.safe_load(text).items()})


def load_strings(lines: Mapping[VoiceKey, str], name: str = "") -> Strings:
    """The shipped strings, overridden by the pack's `lines`; keys that strings.yaml doesn't have are ignored.

    Modals are titled with the pack's `name`.
    """
    own = dict[str, str](lines.items())
    strings = {key: own.get(key) or line for key, line in default_strings().items()}
    return MappingProxyType(strings | ({"modal_title": name} if name else {}))
