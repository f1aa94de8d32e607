"""Sending to Slack (Web API, response_urls) and receiving from it (HTTP, Socket Mode); the health page."""
