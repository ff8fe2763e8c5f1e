"""Where things lie on this machine, for what runs before Django does. Reads .env, as settings.py does."""

import os
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent.parent
if (ROOT / ".env").exists():
    environ.Env.read_env(ROOT / ".env")
# Data of a local run: PostgreSQL, the task queue, collected files.
VAR = Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute()
