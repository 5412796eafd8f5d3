"""A shell for the commands of operations."""

from tests.cli.conftest import shell

__all__ = ["shell"]
