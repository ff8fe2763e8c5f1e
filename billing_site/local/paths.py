"""The folders of this checkout, for code that runs before Django. Reads .env into the environment."""

import os
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent.parent
if (ROOT / ".env").exists():
    environ.Env.read_env(ROOT / ".env")
# Data of a local run: PostgreSQL, Valkey, collected static files.
VAR = Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute()
