"""The report: what was asked in the last days, what was missed, what curators did about it; printed, and as a page."""
