"""The report: how questions ended in the last days, misses, votes and curators' changes; printed, and as an HTML page."""
