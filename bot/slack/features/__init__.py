"""What the bot does in Slack, a feature a file: each reads its payload, acts, and sends what is drawn."""
