import asyncio, random, pytest, collections
from store.pool import Database
from tests.conftest import APP_PASSWORD

async def test_it(world, postgres, sql):
    db = Database(postgres.app_url(APP_PASSWORD), size=2, name="leak")
    await db.open(); await db.ping()
    async def tx():
        async with db.transaction(world.tenant) as t:
            await t.rows("members/by_name", dict, name="admin")
    for n in range(60): await tx()
    got = collections.Counter()
    for k in range(0, 40):
      for rep in range(20):
        task = asyncio.create_task(tx())
        for _ in range(k): await asyncio.sleep(0)
        task.cancel()
        r = await asyncio.gather(task, return_exceptions=True)
        conns = list(db._pool._pool)
        for c in conns:
            if c.pgconn.pipeline_status: got[k]+=1
        if r[0] is not None and not isinstance(r[0], asyncio.CancelledError): print(k, repr(r[0]))
        if got[k]: 
            await db._pool.drain() if hasattr(db._pool,'drain') else None
            break
    print(got)
    await db.close()
