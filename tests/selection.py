"""Leave out the tests of programs that this machine lacks, with a notice in the last line. Long tests come first.

With EVERYTHING=1 a missing program stops the run before the first test instead.
"""

import os
from typing import Any

import pytest

from tests import tools
from tests.tools import TOOLS, Tool


class Selection:
    """Plugin that selects and sorts the tests. With pytest-xdist the workers do that and the controller reports."""

    def __init__(self) -> None:
        self.lacking: set[Tool] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        needed = [tool for tool in TOOLS if any(_needs(item, tool) for item in items)]
        self.lacking.update(tools.missing(needed))
        left_out = {item for item in items if any(_needs(item, tool) for tool in self.lacking)}
        # A long test at the end would keep one process at work while the others have nothing left to do.
        items[:] = sorted((item for item in items if item not in left_out), key=is_long, reverse=True)
        config.hook.pytest_deselected(items=left_out)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Report to the controller. A run with no tests left has not failed."""
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["lacking"] = [tool.name for tool in self.lacking]
        if self.lacking and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker reported."""
        names = getattr(node, "workeroutput", {}).get("lacking", [])
        self.lacking.update(tool for tool in TOOLS if tool.name in names)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Print the notice, now that pytest has written its own last line."""
        if self.lacking and not hasattr(config, "workerinput"):
            notice = tools.notice([tool for tool in TOOLS if tool in self.lacking])
            config.get_terminal_writer().line(notice, yellow=True)


def register(config: pytest.Config) -> None:
    """Register the plugin. With EVERYTHING=1 raise UsageError if a program is missing."""
    if os.environ.get("EVERYTHING") == "1" and (lacking := tools.missing()):
        raise pytest.UsageError(tools.notice(lacking))
    config.pluginmanager.register(Selection())


def is_long(item: pytest.Item) -> bool:
    """Return whether the test may take longer than others: its mark `timeout` is above the default."""
    mark = item.get_closest_marker("timeout")
    return mark is not None and mark.args[0] > float(item.config.getini("timeout"))


def _needs(item: pytest.Item, tool: Tool) -> bool:
    return item.get_closest_marker(tool.marker) is not None
