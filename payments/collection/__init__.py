"""Money that comes by itself: what is collected from saved methods while customers are away, when, and why."""
