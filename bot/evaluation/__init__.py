"""Labelled questions, and what two states of a pack answer differently."""
