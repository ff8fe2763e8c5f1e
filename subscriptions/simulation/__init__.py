"""Scenario files: read one, play it on the engine or through the tables, say what came out (docs/simulate.md)."""
