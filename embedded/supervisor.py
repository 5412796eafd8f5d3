"""Keeps children running: starts them in groups, starts those again that end, and ends all in reverse order."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import StartFailed
from embedded.children import LOOK_EVERY, Child, trim
from embedded.folder import DataFolder
from embedded.signals import Signals

SHORTEST, LONGEST = 0.1, 5.0
"""Seconds before a child that ended is started again: the first time, and at most."""
STEADY_AFTER = 30.0
"""Seconds a child has to run to be trusted again."""
TRIM_EVERY = 60.0
TOUR = "tour.kill"
"""The file in the data folder by which the API asks."""
ASKED_EVERY, KILLS_APART = 0.5, 5.0
"""Seconds between looks for it, and between two kills."""


class Progress(Protocol):
    """Where a person who waits reads what happens."""

    def waiting(self, what: str) -> None:
        """Something goes on; called again and again while it does."""

    def done(self, what: str, seconds: float) -> None:
        """Something is done."""

    def note(self, line: str) -> None:
        """Something happened that is worth a line."""


class Stopped(Exception):
    """Somebody asked us to stop while we started."""


@dataclass
class Watched:
    """A child, and when it is to be started again."""

    child: Child
    began: float
    delay: float = SHORTEST
    due: float | None = None


class Supervisor:
    """The children of one start. Everything happens in one thread, so that children die with it."""

    def __init__(self, folder: DataFolder, signals: Signals, progress: Progress) -> None:
        self._folder, self._signals, self._progress = folder, signals, progress
        self._groups: list[list[Watched]] = []
        self._recorded = True
        self.kills_when_asked: Sequence[str] = ()
        """The children that the API may ask to have killed, for the tour; nobody's while it is empty."""
        self._killed_at = float("-inf")

    def start(self, *children: Child, within: float = 120.0) -> None:
        """Starts these side by side and returns when all answer.

        Raises StartFailed when one ends or is late, Stopped when we were asked to stop.
        """
        group: list[Watched] = []
        self._groups.append(group)
        waiting = {}
        for child in children:
            waiting[child] = time.monotonic()
            group.append(Watched(child, time.monotonic()))
            child.spawn()
            self._record()
        while waiting:
            self.breathe(" and ".join(child.name for child in waiting))
            for child, began in list(waiting.items()):
                if child.answers_or_fails():
                    self._progress.done(child.name, time.monotonic() - began)
                    del waiting[child]
                elif time.monotonic() - began > within:
                    child.fail_late()

    def run(self, child: Child, within: float = 300.0) -> None:
        """Runs a child to its end. Raises StartFailed when it is late, Stopped when we were asked to stop."""
        began = time.monotonic()
        group = [Watched(child, began)]
        self._groups.append(group)
        child.spawn()
        self._record()
        while child.alive:
            self.breathe(child.name)
            if time.monotonic() - began > within:
                child.fail_late()
        self._groups.remove(group)
        if child.exit_code == 0:
            self._progress.done(child.name, time.monotonic() - began)

    def breathe(self, what: str) -> None:
        """Waits a moment while something goes on. Raises Stopped."""
        if self._signals.asked:
            raise Stopped
        self._progress.waiting(what)
        self._signals.wait(LOOK_EVERY)

    def watch(self) -> None:
        """Starts children again that end, until we are asked to stop."""
        trim_at = 0.0
        while not self._signals.asked:
            now = time.monotonic()
            self._kill_where_asked(now)
            for watched in self._all():
                self._look(watched, now)
            if now >= trim_at:
                trim_at = now + TRIM_EVERY
                self._trim()
            dues = [watched.due for watched in self._all() if watched.due is not None]
            if self.kills_when_asked:
                dues.append(now + ASKED_EVERY)
            self._signals.wait(max(0.0, min([trim_at, *dues]) - time.monotonic()))

    def _kill_where_asked(self, now: float) -> None:
        """Kills, as anybody's kill -9 would, what a tour asked for; what it asks again within a few seconds is not heard."""
        if not self.kills_when_asked or not self._folder.takes_request(TOUR) or now - self._killed_at < KILLS_APART:
            return
        self._killed_at = now
        for watched in self._all():
            if watched.child.name in self.kills_when_asked:
                watched.child.kill()

    def stop(self, spans: Sequence[float] = (5.0, 3.0)) -> None:
        """Ends all children, the last started group first, each with its span of seconds; a second signal ends the waiting."""
        for group, span in zip(reversed(self._groups), spans, strict=False):
            for watched in group:
                watched.child.ask_to_stop()
            ends = time.monotonic() + span
            while any(watched.child.alive for watched in group) and time.monotonic() < ends and self._signals.asked < 2:
                self._progress.waiting("stopping")
                self._signals.wait(LOOK_EVERY)
            for watched in group:
                watched.child.kill()
        self.kill()

    def kill(self) -> None:
        """Ends all children at once."""
        for watched in self._all():
            watched.child.kill()
        self._record_or_later()

    def _look(self, watched: Watched, now: float) -> None:
        child = watched.child
        if watched.due is None and not child.alive:
            before, watched.delay = watched.delay, SHORTEST if now - watched.began > STEADY_AFTER else min(watched.delay * 2, LONGEST)
            watched.due = now + watched.delay
            if watched.delay < LONGEST:
                self._tell(f"{child.name} ended ({_how(child.exit_code)}) and is started again")
            elif before < LONGEST:
                self._tell(f"{child.name} ends again and again ({_how(child.exit_code)}); it is tried every {LONGEST:.0f} s{child.last_words()}")
        elif watched.due is not None and now >= watched.due:
            watched.due, watched.began = None, now
            try:
                child.spawn()
            except (StartFailed, OSError) as failed:
                watched.due = now + LONGEST
                self._tell(str(failed))
            self._record_or_later()

    def _trim(self) -> None:
        """What cannot be kept now, such as on a full disk, is tried again a minute later."""
        if not self._recorded:
            self._record_or_later()
        for log in self._folder.logs():
            with contextlib.suppress(OSError):
                trim(log)

    def _tell(self, line: str) -> None:
        self._folder.note(line)
        with contextlib.suppress(OSError):  # what we print may go to a file on a full disk
            self._progress.note(line)

    def _all(self) -> list[Watched]:
        return [watched for group in self._groups for watched in group]

    def _record_or_later(self) -> None:
        """Writes down which programs are ours; while that cannot be done they run all the same."""
        try:
            self._record()
            self._recorded = True
        except StartFailed as failed:
            self._recorded = False
            self._tell(str(failed))

    def _record(self) -> None:
        self._folder.record(watched.child for watched in self._all())


def _how(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code and exit_code < 0 else f"exit code {exit_code}"
