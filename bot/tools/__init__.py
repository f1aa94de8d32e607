"""Tools for curators and operators: check, eval, why, and what measures the engine."""
