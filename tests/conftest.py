"""What holds for all tests."""

import gc


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: nobody need look through them again for what could go."""
    gc.collect()
    gc.freeze()
