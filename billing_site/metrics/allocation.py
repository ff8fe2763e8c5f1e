"""Files of counts whose memory is reserved before it is written.

prometheus_client maps sparse files. If the memory behind such a page has run out when it is written, the kernel ends
the process with SIGBUS, whoever filled it. posix_fallocate takes the memory first and raises OSError if there is none.
"""

import os

from prometheus_client import mmap_dict, values

# The size of a new file, in bytes, as in prometheus_client. It doubles when it is full.
FIRST_SIZE = 1 << 16
# The most that an entry takes besides its key: its length, up to eight bytes of padding, and two doubles.
AROUND_KEY = 4 + 8 + 16


class ReservedDict(mmap_dict.MmapedDict):
    """prometheus_client's file of doubles, which raises OSError instead of writing to memory that is not there."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            os.makedirs(os.path.dirname(filename), exist_ok=True)  # noqa: PTH103, PTH120 - prometheus_client's own terms
            with open(filename, "a+b") as file:  # noqa: PTH123
                _reserve(file.fileno(), max(FIRST_SIZE, os.fstat(file.fileno()).st_size))
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        size = self._capacity
        while self._used + len(key.encode()) + AROUND_KEY > size:
            size *= 2
        if size > self._capacity:
            _reserve(self._f.fileno(), size)
        super()._init_value(key)  # type: ignore[no-untyped-call]


def _reserve(descriptor: int, size: int) -> None:
    """Take the memory of the first `size` bytes of a file. Raises OSError if there is not so much."""
    os.posix_fallocate(descriptor, 0, size)


def install() -> None:
    """Have the metrics of this process that are made from now on be counted in such files."""
    values.MmapedDict = ReservedDict  # type: ignore[attr-defined]
