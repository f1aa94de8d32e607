"""Import and export: a FAQ file becomes a pack, and curators' changes become a patch for a pack's files."""
