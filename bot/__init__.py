"""AskPy: a Slack colleague that answers from curated knowledge, without a language model."""

import sys

__version__ = "0.1.0"


def program() -> str:
    """How this process was called, for sentences that name a command: `askpy` or `python -m bot`."""
    name = sys.argv[0].replace("\\", "/").rpartition("/")[2]
    return "askpy" if name.startswith("askpy") else "python -m bot"
