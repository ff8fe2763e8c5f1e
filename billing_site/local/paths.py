"""The folders of this checkout, for code that runs before Django."""

from pathlib import Path

from billing_site import environment

ROOT = environment.ROOT
# Data of a local run: PostgreSQL, Valkey, collected static files.
VAR = Path(environment.env.str("VAR_DIR") or ROOT / "var").absolute()
