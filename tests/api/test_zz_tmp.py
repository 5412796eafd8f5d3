import asyncio
import pytest
from tests.world import World
from tests.api.test_sessions import start
from tests.api import test_bindings as b

@pytest.mark.parametrize("n", range(20))
async def test_first(live: World, n: int) -> None:
    made = await asyncio.gather(*(start(live, f"echo {n}") for n in range(6)))
    assert len({session["id"] for session in made}) == 6
    assert len(live.rows("select 1 from accounts where tenant_id = %s and channel = 'api'")) == 1

@pytest.mark.parametrize("n", range(6))
async def test_b(live: World, n: int) -> None:
    await b.test_a_more_specific_binding_takes_settled_conversations_over_and_gives_them_back(live)
