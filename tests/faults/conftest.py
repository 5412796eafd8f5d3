"""The stacks of the crash tests, for faults that kill nobody."""

from tests.crash.conftest import kept, stack, stage

__all__ = ["kept", "stack", "stage"]
