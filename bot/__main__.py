"""`python -m bot`: the command line."""

import gc

COLLECT_AT = 50_000
"""New objects after which Python looks for garbage. A start makes about as many, and nearly all of them stay; at Python's own 700
they were looked at so often that it took a tenth of the time of `ask`."""

gc.set_threshold(COLLECT_AT)

from bot.cli import main  # noqa: E402

if __name__ == "__main__":
    gc.freeze()  # the modules stay until the end: no collection needs to look at them, the last one included
    main(prog_name="python -m bot")
