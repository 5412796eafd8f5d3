"""What the parts of a stack hold in memory, and whether it grows."""

import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.crash.stack import Stack

KB = 1024
PIECES = 10
"""How many medians are taken of a half."""
Sample = tuple[float, float]
"""Seconds since the start, and MB."""


def held(stack: Stack, *parts: str) -> dict[str, float]:
    """The memory of these parts in MB: the proportional set size of all their processes, so that what is shared counts once."""
    return {part: sum(_rolled_up(process)["Pss"] for process in stack.part(part)) / KB for part in parts}


def buffers(stack: Stack) -> float:
    """MB of Postgres's shared memory that were touched so far. It is of a fixed size, and fills as the data grows."""
    return sum(_rolled_up(process)["Pss_Shmem"] for process in stack.part("Postgres")) / KB


def _rolled_up(process: psutil.Process) -> Counter[str]:
    """KB by kind; nothing for a tool's or a connection's process that has just ended."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return Counter()
    return Counter({name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)})


def slope(samples: Sequence[Sample]) -> float:
    """MB a minute in the second half: the middle one of all lines through its medians, for single samples may lie anywhere."""
    half = [sample for sample in samples if sample[0] >= samples[-1][0] / 2]
    cut = [half[n * len(half) // PIECES : (n + 1) * len(half) // PIECES] for n in range(PIECES)]
    points = [(statistics.median(at for at, _ in piece), statistics.median(mb for _, mb in piece)) for piece in cut if piece]
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) * 60 for n, a in enumerate(points) for b in points[n + 1 :])
