"""What a pack's curators work with: edits laid over a pack, the pack as it stands now, and what an edit would do."""
