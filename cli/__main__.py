"""`python -m cli`: runs a command, and says in one sentence what is wrong when it cannot."""

import os
import sys
from typing import Any

from cli import app
from cli.output import fail
from domain.errors import SwitchboardError


def main() -> int:
    """Runs the command that the arguments name and returns its exit code."""
    try:
        app(prog_name="switchboard")
    except SwitchboardError as error:
        fail(str(error))
        return 1
    except ValueError as error:
        if not (sentence := wrong_setting(error)):
            raise
        fail(sentence)
        return 1
    except SystemExit as end:
        return _code(end.code)
    except KeyboardInterrupt:
        return 130
    return 0


def wrong_setting(error: Any) -> str:
    """A sentence about the variable whose value does not fit; empty when the error is about something else. Values may be secret."""
    if getattr(error, "title", "") != "Settings":  # pydantic's error, recognised without loading pydantic for every command
        return ""
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0])
    return f"{name if name.isupper() else f'SWITCHBOARD_{name.upper()}'} has a value that does not fit ({first['msg']}); correct or unset it."


def _code(code: Any) -> int:
    if code is None or isinstance(code, int):
        return int(code or 0)
    fail(str(code))
    return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's threads can abort an interpreter that ends by itself
