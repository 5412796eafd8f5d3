"""Our own tools, one file each. A further one is a file here, or an entry point of the group `switchboard.tools` anywhere."""

from pydantic import BaseModel, ConfigDict


class Arguments(BaseModel):
    """What a tool is called with: checked, complete, and nothing besides."""

    model_config = ConfigDict(frozen=True, extra="forbid")
