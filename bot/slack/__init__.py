"""Slack: payloads become Questions, Replies become Block Kit, and posting survives a bad day."""
