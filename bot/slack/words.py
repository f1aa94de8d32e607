"""The words of Slack's own surfaces: defaults from words.yaml, a pack's voice over them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

Words = Mapping[str, str]


@cache
def default_words() -> Words:
    """The shipped words."""
    text = resources.files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    return MappingProxyType({str(key): str(line) for key, line in yaml.safe_load(text).items()})


def words_of(lines: Mapping[str, str]) -> Words:
    """The shipped words with a pack's own lines over them; keys that Slack doesn't use are left out."""
    return MappingProxyType({key: lines.get(key) or line for key, line in default_words().items()})
