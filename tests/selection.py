"""Leave out the tests of programs that this machine lacks, and say so in the last line of the run.

With EVERYTHING=1 such a program stops the run before the first test instead.
"""

import os
from typing import Any

import pytest

from tests import tools
from tests.tools import TOOLS, Tool


class Selection:
    """Selects the tests that can run here. With pytest-xdist, its workers select and its controller speaks."""

    def __init__(self) -> None:
        self.lacking: set[Tool] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        asked = [tool for tool in TOOLS if any(_drives(item, tool) for item in items)]
        self.lacking.update(tools.missing(asked))
        out = {item for item in items if any(_drives(item, tool) for tool in self.lacking)}
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller. A run of which nothing is left has not failed."""
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["lacking"] = [tool.name for tool in self.lacking]
        if self.lacking and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        told = getattr(node, "workeroutput", {}).get("lacking", [])
        self.lacking.update(tool for tool in TOOLS if tool.name in told)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Only here has pytest written its own last line."""
        if self.lacking and not hasattr(config, "workerinput"):
            said = tools.notice([tool for tool in TOOLS if tool in self.lacking])
            config.get_terminal_writer().line(said, yellow=True)


def register(config: pytest.Config) -> None:
    """Put a Selection into this run, or refuse the run: with EVERYTHING=1 nothing may be left out."""
    if os.environ.get("EVERYTHING") == "1" and (lacking := tools.missing()):
        raise pytest.UsageError(tools.notice(lacking))
    config.pluginmanager.register(Selection())


def _drives(item: pytest.Item, tool: Tool) -> bool:
    return item.get_closest_marker(tool.marker) is not None
