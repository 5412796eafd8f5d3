"""One line of typing: letters, corrections, history and paste, from the bytes that a terminal sends."""

import codecs
import re
from collections.abc import Callable

TOKEN = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO[@-~]|\x1b[^\[O]|[^\x1b]", re.DOTALL)
PASTE, PASTED = "\x1b[200~", "\x1b[201~"


class Line:
    """What was typed so far, with the cursor at `at`. `feed` raises EOFError at Ctrl-D on an empty line."""

    def __init__(self) -> None:
        self.text, self.at = "", 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest, self._pasting = "", False
        self._past: list[str] = []
        self._back = 0
        self._keys: dict[str, Callable[[], None]] = {
            "\x7f": self._backspace, "\x08": self._backspace, "\x15": self._clear, "\x17": self._drop_word, "\x04": self._delete_or_end,
            "\x01": self._home, "\x1b[H": self._home, "\x1b[1~": self._home, "\x05": self._end, "\x1b[F": self._end, "\x1b[4~": self._end,
            "\x1b[D": self._left, "\x1bOD": self._left, "\x1b[C": self._right, "\x1bOC": self._right, "\x1b[3~": self._delete,
            "\x1b[A": self._older, "\x1bOA": self._older, "\x1b[B": self._newer, "\x1bOB": self._newer,
        }  # fmt: skip

    def feed(self, typed: bytes) -> list[str]:
        """Takes what the terminal sent and returns the lines that were finished with it."""
        text = self._rest + self._decode(typed)
        tokens = list(TOKEN.finditer(text))
        self._rest = text[tokens[-1].end() :] if tokens else text
        return [line for token in tokens if (line := self._take(token[0])) is not None]

    def _take(self, key: str) -> str | None:
        if key in (PASTE, PASTED):
            self._pasting = key == PASTE
        elif key in "\r\n" and not self._pasting:
            return self._finished()
        elif key in self._keys:
            self._keys[key]()
        elif key.isprintable() or key in "\r\n\t":
            self.text = self.text[: self.at] + key.replace("\r", "\n") + self.text[self.at :]
            self.at += 1
        return None

    def _finished(self) -> str:
        line = self.text
        if line.strip() and self._past[-1:] != [line]:
            self._past.append(line)
        self._back = 0
        self._clear()
        return line

    def _put(self, text: str) -> None:
        self.text, self.at = text, len(text)

    def _clear(self) -> None:
        self._put("")

    def _backspace(self) -> None:
        if self.at:
            self._left()
            self._delete()

    def _delete(self) -> None:
        self.text = self.text[: self.at] + self.text[self.at + 1 :]

    def _delete_or_end(self) -> None:
        if not self.text:
            raise EOFError
        self._delete()

    def _drop_word(self) -> None:
        kept = re.sub(r"\S+\s*$", "", self.text[: self.at])
        self.text, self.at = kept + self.text[self.at :], len(kept)

    def _home(self) -> None:
        self.at = 0

    def _end(self) -> None:
        self.at = len(self.text)

    def _left(self) -> None:
        self.at = max(0, self.at - 1)

    def _right(self) -> None:
        self.at = min(len(self.text), self.at + 1)

    def _older(self) -> None:
        self._back = min(len(self._past), self._back + 1)
        if self._back:
            self._put(self._past[-self._back])

    def _newer(self) -> None:
        self._back = max(0, self._back - 1)
        self._put(self._past[-self._back] if self._back else "")
