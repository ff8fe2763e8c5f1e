"""The garbage collector of processes that bill: the workers', and those of the bench."""

import gc


def spare() -> None:
    """Make the garbage collector run less often and skip the objects of start-up.

    A batch is thousands of small objects without reference cycles. With the defaults the collector scans them again
    and again and frees nothing, which takes half of Python's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
