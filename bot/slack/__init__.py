"""Slack: turns payloads into questions and replies into Block Kit, and retries transient failures of sending."""
