"""Waits for what must follow, with a deadline."""

import time


def until(what, look):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise TimeoutError(f"waited 60 s for {what}")
