"""A limit for the tidying up after a test, as a plugin of pytest.

A failed test has lost the limits that it ran under: they make way for a debugger as soon as it
fails. What then hangs while it tidies up would hold up the whole run for ever, without a word.
"""

import faulthandler
import os
from collections.abc import Generator

import pytest

TEARDOWN_WITHIN = 120  # seconds
STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real standard error: while a test runs, its own is captured."""
    config.stash[STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close it."""
    os.close(config.stash[STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """End the process where the tidying up hangs, and say where it does."""
    faulthandler.dump_traceback_later(TEARDOWN_WITHIN, exit=True, file=item.config.stash[STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
