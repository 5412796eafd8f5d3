"""Cutting a reply to a channel's limit."""

FENCE = "```"


def chunks(text: str, limit: int) -> list[str]:
    """A text in pieces of at most `limit` characters, cut at paragraphs, lines or words, never inside a code fence.

    A fence that is itself too long is closed at the cut and opened again in the next piece, so every piece is whole.
    """
    pieces: list[str] = []
    rest = text
    while len(rest) > limit:
        head, rest = _cut(rest, limit)
        pieces.append(head)
    return [*pieces, rest]


def _cut(text: str, limit: int) -> tuple[str, str]:
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, limit // 2, limit)
        while at > 0 and _inside_fence(text[:at]):
            at = text.rfind(mark, limit // 2, at)
        if at > 0:
            return text[:at].rstrip(), text[at:].lstrip("\n ")
    opening = _open_fence(text[: limit - len(FENCE) - 1])
    if opening is None:
        return text[:limit], text[limit:]
    room = limit - len(FENCE) - 1
    at = text.rfind("\n", limit // 2, room)
    at = at if at > 0 else room
    head, rest = text[:at] + "\n" + FENCE, opening + "\n" + text[at:].lstrip("\n")
    return (head, rest) if len(rest) < len(text) else (text[:limit], text[limit:])


def _inside_fence(text: str) -> bool:
    return _open_fence(text) is not None


def _open_fence(text: str) -> str | None:
    fences = [line for line in text.split("\n") if line.startswith(FENCE)]
    return fences[-1] if len(fences) % 2 else None
