"""Every step of the protocol, stopped right before or after it, while the process that does it, or another one, is killed.

The short run takes each step once with the process that does it; `--crash=full` takes every step, before and after, with every process, and
writes docs/reliability.md. The order is one of chance: the seed is in the header of the run and in a failure.
"""

import logging
import random

import pytest

from tests.crash import report
from tests.crash.matrix import play_all
from tests.crash.stage import Stage
from tests.crash.steps import every_case, names, once_each

log = logging.getLogger(__name__)


@pytest.mark.timeout(3 * 3600)
async def test_whatever_dies_at_any_step_nothing_is_lost_or_done_twice(stage: Stage, request: pytest.FixtureRequest) -> None:
    """Every accepted message is answered once and in order, nothing takes effect twice, and every verdict is told."""
    seed, whole = request.config.getoption("--crash-seed"), request.config.getoption("--crash") == "full"
    groups = (every_case if whole else once_each)(random.Random(seed))

    played = await play_all(stage, groups, log.warning)

    if whole:
        report.write(played)
    faults = [one.fault for one in played if one.fault]
    assert not faults, "\n".join([f"repeat with --crash-seed {seed}; the order was {names(groups)}", *faults])
