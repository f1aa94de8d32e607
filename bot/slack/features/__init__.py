"""What the bot does in Slack, one feature per file: each reads a payload, acts on it, and renders and sends the result."""
