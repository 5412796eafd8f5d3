"""What the crash tests add to Switchboard, as any third party does: a letter that nothing takes back or recognises, and a wire."""

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from agents import Call, Called, Hands, Json, Look, scripted_commands
from agents.scripted_words import outcome_of_call
from channels.webhook import Webhook
from tests.crash import points

ENTRY_POINTS = """
[switchboard.channels]
wire = tests.crash.kit:Wire

[switchboard.tools]
post = tests.crash.kit:Post
"""
POSTED = "CRASH_POSTED"
"""The variable that names the file with a line for every letter that was posted."""


class Wire(Webhook):
    """Signed HTTP in both directions, with places to stop at."""

    name: ClassVar[str] = "wire"
    title: ClassVar[str] = "A wire that is cut"


class PostArguments(BaseModel):
    """What to post."""

    model_config = ConfigDict(extra="forbid")

    words: str


class Post:
    """An effect outside that nothing recognises when it is repeated."""

    name = "post"
    description = "Posts a letter."
    arguments = PostArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 60.0
    idempotent = False
    commits = False
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: PostArguments, hands: Hands) -> Json:
        """Posts it: a line with the call's id."""
        file = os.open(os.environ[POSTED], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(file, f"{hands.idempotency_key}\n".encode())
        os.close(file)
        return {"posted": arguments.words}


def posted(file: Path) -> list[str]:
    """The calls whose letters were posted, as often as they were."""
    return file.read_text("utf-8").split() if file.exists() else []


def _post(rest: str, look: Look) -> scripted_commands.Script:
    """The command `post WORDS` of the scripted backend."""
    call = Call(tool="post", arguments={"words": rest})
    called: Called = yield call
    return f"{rest} is posted." if called.state == "done" else outcome_of_call(called, call)


scripted_commands._RULES["post"] = _post
points.install()
