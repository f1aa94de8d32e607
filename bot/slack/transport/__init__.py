"""How Slack is reached and how it reaches us: the Web API and response_urls, HTTP, Socket Mode, and health pages."""
