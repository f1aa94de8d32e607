"""The start of the command line, as `askpy` and as `python -m bot`.

It says in one sentence what is missing where Python is too old or a package isn't installed. So this file, and the package's
`__init__`, import nothing but the standard library, and have no syntax that Python 3.6 doesn't know.
"""

import gc
import os
import sys

from bot import program

COLLECT_AT = 50_000
"""New objects after which Python looks for garbage. A start makes about as many, and nearly all of them stay; at Python's own 700
they were looked at so often that it took a tenth of the time of `ask`."""

OLDEST = (3, 11)
"""As in pyproject.toml."""


def run() -> None:
    """Run the command line. Exits with 2 where this Python is too old or lacks a package."""
    if sys.version_info < OLDEST:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        _stop(f"AskPy needs Python {needed} or newer; this is {found}, {sys.executable}.")
    gc.set_threshold(COLLECT_AT)
    # Read when numpy is imported. Its arrays are small here: a second thread mostly waits, in a spin, and doubles the CPU time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from bot.cli import main  # noqa: PLC0415  it needs packages

        gc.freeze()  # the modules stay until the end: no collection needs to look at them, the last one included
        main(prog_name=program())
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("", "bot"):
            raise
        _stop(
            f"AskPy's packages aren't all installed for this Python, {sys.executable} ({error}). In a checkout: "
            "make run, or source .venv/bin/activate once that has run. Anywhere: uv tool install FOLDER, or "
            "pipx install FOLDER, where FOLDER is the checkout."
        )


def _stop(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    raise SystemExit(2)


if __name__ == "__main__":
    run()
