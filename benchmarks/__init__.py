"""Programs that measure AskPy; README.md says what each prints. Nothing in `bot` imports them."""
