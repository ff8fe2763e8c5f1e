"""Scenario files: read one, play it on the engine, say what came out (docs/simulate.md).

The database way is in `real`, which this package does not import: playing on the bare engine needs no tables.
"""

from subscriptions.simulation.fields import BadScenario
from subscriptions.simulation.playing import play
from subscriptions.simulation.reading import read

__all__ = ["BadScenario", "play", "read"]
