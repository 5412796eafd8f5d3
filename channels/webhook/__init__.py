"""A channel for any program: signed HTTP in both directions (Standard Webhooks, standardwebhooks.com)."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, ClassVar, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from standardwebhooks import Webhook as Signature

from channels import AccountSeen, Outgoing
from domain.errors import BadSignature, Invalid, SendFailed, SendRefused, SendUncertain
from domain.messages import MAX_TEXT, Inbound, Receipt

LONGEST_PAUSE = 24 * 3600.0
"""The most seconds of a Retry-After that are believed: a message older than a day is parked anyway."""


class Settings(BaseModel):
    """`deliver_url` is called with what an agent says; `repeats_are_recognised` that it drops a `message_id` it has seen."""

    model_config = ConfigDict(extra="forbid")

    deliver_url: str = Field(pattern=r"^https?://")
    repeats_are_recognised: bool = True
    timeout: float = Field(default=15, gt=0, le=60)


class Secrets(BaseModel):
    """`secret` signs both directions: `whsec_` and base64, as Standard Webhooks has it."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(min_length=24, max_length=200)

    @field_validator("secret")
    @classmethod
    def _signs(cls, secret: str) -> str:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if len(key) < 12:
            raise ValueError("has to be whsec_ and base64 of at least 12 bytes")
        return secret


class Kind(BaseModel):
    """What is looked at first: events of other kinds than `message` are none of ours."""

    model_config = ConfigDict(extra="ignore")

    type: str = "message"


Named = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name or an id: no control characters."""


class Event(BaseModel):
    """What a program posts: its own id for the message, where it was written, by whom, and the text."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["message"] = "message"
    id: Named = Field(min_length=1)
    chat: Named = Field(min_length=1)
    thread: Named = ""
    sender: Named = ""
    sender_name: Named = ""
    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")


class Webhook:
    """Signed HTTP in both directions."""

    name: ClassVar[str] = "webhook"
    title: ClassVar[str] = "Any program, by signed HTTP"
    settings: ClassVar[type[BaseModel]] = Settings
    secrets: ClassVar[type[BaseModel]] = Secrets
    commit_delivers: ClassVar[bool] = False
    streams: ClassVar[bool] = False
    chunk: ClassVar[int] = 4_000
    debounce: ClassVar[float] = 0.0

    def recognises_repeats(self, account: AccountSeen) -> bool:
        """What the account's owner says of the receiver."""
        return Settings.model_validate(account.settings).repeats_are_recognised

    def receive(self, account: AccountSeen, headers: Mapping[str, str], body: bytes) -> Sequence[Inbound]:
        """The message of a call, none for an event of another kind. Raises BadSignature, or Invalid with the field named."""
        try:
            Signature(account.secrets["secret"]).verify(body, dict(headers), json_parse=False)
        except Exception as error:
            raise BadSignature from error
        try:
            if Kind.model_validate_json(body).type != "message":
                return []
            event = Event.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            raise Invalid(first["msg"], field=".".join(map(str, first["loc"])) or "body") from error
        return [
            Inbound(
                tenant_id=account.tenant_id, account_id=account.id, chat=event.chat, thread=event.thread, sender=event.sender or event.chat,
                sender_name=event.sender_name, external_id=json.dumps(["message", event.chat, event.id], ensure_ascii=False), text=event.text,
            )
        ]  # fmt: skip

    async def send(self, account: AccountSeen, outgoing: Outgoing) -> Receipt:
        """Posts a message to the account's `deliver_url`; 2xx is the receipt."""
        settings = Settings.model_validate(account.settings)
        text = f"{outgoing.label}\n{outgoing.text}" if outgoing.label else outgoing.text
        body = json.dumps({"type": "message", "message_id": outgoing.message_id, "chat": outgoing.chat, "thread": outgoing.thread, "text": text})
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": outgoing.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signature(account.secrets["secret"]).sign(outgoing.message_id, now, body),
        }
        try:
            async with httpx.AsyncClient(timeout=settings.timeout) as client:
                answer = await client.post(settings.deliver_url, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise SendFailed from error
        except httpx.HTTPError as error:
            raise SendUncertain from error
        return _receipt(answer, outgoing.message_id)


def _receipt(answer: httpx.Response, message_id: str) -> Receipt:
    if answer.is_success:
        return Receipt(id=answer.headers.get("x-receipt-id", message_id))
    if answer.status_code == 429 or answer.status_code == 503:
        raise SendFailed(f"The receiver answered {answer.status_code}.", retry_after=_seconds(answer.headers.get("retry-after", "")))
    if answer.status_code >= 500:
        raise SendUncertain(f"The receiver answered {answer.status_code}.")
    raise SendRefused(f"The receiver answered {answer.status_code}.")


def _seconds(after: str) -> float | None:
    """What Retry-After says, in seconds: it holds seconds or a date. None for anything else."""
    if after.isdecimal():
        return min(float(after), LONGEST_PAUSE)
    try:
        return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
