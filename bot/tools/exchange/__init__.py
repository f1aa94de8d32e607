"""Knowledge from and to files: curated changes as a patch against a pack, and a FAQ as a pack of its own."""
