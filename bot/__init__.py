"""AskPy: a Slack colleague that answers from curated knowledge, without a language model."""

__version__ = "0.1.0"
