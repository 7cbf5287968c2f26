"""Waiting for what another process does."""

import time


def eventually(condition, timeout=15, interval=0.05, reason="it did not come about"):
    """The first true result of `condition`; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s: {reason}")
        time.sleep(interval)
