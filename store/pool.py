"""Connections to Postgres: the pool, a tenant's transaction, and the loading of the statements."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import Conflict, Invalid, NotFound, StoreUnavailable

QUERIES = Path(__file__).parent / "queries"
Row = TypeVar("Row")
Result = TypeVar("Result")
ENDS_WITHIN = 35
"""Seconds after which Postgres ends a transaction: more than any tool may take that commits in one."""
LATE = (psycopg.errors.IdleInTransactionSessionTimeout, psycopg.errors.TransactionTimeout)
log = structlog.get_logger()
UNIQUE = {"accounts_tenant_id_name_key": "name", "agents_tenant_id_name_key": "name", "bindings_by_pattern": "chat"}
"""The field that a person gave, by the constraint it broke."""


@cache
def statement(name: str) -> str:
    """The text of the statement `noun/verb`."""
    return (QUERIES / f"{name}.sql").read_text("utf-8")


class Transaction:
    """Statements of one tenant that become true together. Made by `Database.transaction`."""

    def __init__(self, connection: AsyncConnection[Any], tenant: str) -> None:
        self._connection = connection
        self.tenant = tenant

    async def run(self, name: str, /, **params: Any) -> None:
        """Runs a statement without waiting for what it comes to; an error shows at the next read or the commit."""
        await self._connection.execute(statement(name), {"tenant": self.tenant, **params})

    async def count(self, name: str, /, **params: Any) -> int:
        """Runs a statement and returns how many rows it touched."""
        async with self._connection.pipeline():  # the count is known only when the pipeline was read up to here
            cursor = await self._connection.execute(statement(name), {"tenant": self.tenant, **params})
        return cursor.rowcount

    async def rows(self, name: str, kind: type[Row], /, **params: Any) -> list[Row]:
        """All rows of a statement, each made into a `kind` (a model, or dict)."""
        async with self._connection.cursor(row_factory=_factory(kind)) as cursor:
            await cursor.execute(statement(name), {"tenant": self.tenant, **params})
            return await cursor.fetchall()

    async def each(self, name: str, kind: type[Row], many: Sequence[Mapping[str, Any]]) -> list[Row]:
        """The first row of a statement for each of many sets of parameters, in one round trip."""
        cursors = [self._connection.cursor(row_factory=_factory(kind)) for _ in many]
        for cursor, params in zip(cursors, many, strict=True):
            await cursor.execute(statement(name), {"tenant": self.tenant, **params})
        return [row for cursor in cursors if (row := await cursor.fetchone())]

    async def row(self, name: str, kind: type[Row], /, **params: Any) -> Row | None:
        """The first row of a statement, or None."""
        found = await self.rows(name, kind, **params)
        return found[0] if found else None


class Database:
    """A process's way to Postgres as the app's role, which sees one tenant at a time."""

    def __init__(self, url: str, *, size: int = 8, name: str = "switchboard") -> None:
        self.url = url
        self._full = False
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=5,
            max_idle=120,
            reconnect_timeout=5,
            configure=_let_go_in_time,
            kwargs={"autocommit": True, "application_name": name, "prepare_threshold": 1},
        )

    async def open(self) -> None:
        """Opens the pool; connections are made in the background and made again when they break."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection, thrown away where its task is cancelled: it may look idle and still be in pipeline mode, where what the next
        user writes is answered and never committed; or a request to cancel may reach the next user's statement."""
        try:
            async with self._pool.connection() as connection:
                try:
                    yield connection
                except Exception:
                    raise
                except BaseException:
                    await connection.close()
                    raise
        except (psycopg.OperationalError, PoolTimeout, psycopg.InterfaceError, psycopg.errors.InternalError_, *LATE) as error:
            self._full = self._full or _no_room(error)
            if isinstance(error, psycopg.errors.InternalError_) and not _no_room(error):
                raise
            raise StoreUnavailable from error
        except psycopg.errors.NoDataFound as error:
            raise NotFound from error
        except psycopg.errors.UniqueViolation as error:
            field = UNIQUE.get(error.diag.constraint_name or "")
            raise Conflict("There is one like this already; choose another name or pattern.", field=field) from error
        except psycopg.errors.ForeignKeyViolation as error:
            raise Conflict from error
        except psycopg.errors.CheckViolation as error:
            raise Invalid("A value is outside of what is allowed.") from error
        except psycopg.DataError as error:
            raise Invalid(f"A value is not accepted by the store ({type(error).__name__}).") from error

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes rows of `tenant` only.

        Raises StoreUnavailable when Postgres does not answer; what was written in it is then undone, or the commit's fate unknown.
        """
        async with self._connection() as connection, connection.pipeline(), connection.transaction():
            await connection.execute("select set_config('app.tenant_id', %s, true)", (tenant,), prepare=True)
            yield Transaction(connection, tenant)

    async def call(self, name: str, kind: type[Row], params: Mapping[str, Any]) -> Row:
        """Runs one statement that is a transaction of its own, in one round trip: a function that sets its tenant itself.

        A connection that turns out to be broken is replaced once, so such functions are safe to repeat.
        """

        async def once() -> Row:
            async with self._connection() as connection, connection.cursor(row_factory=_factory(kind)) as cursor:
                await cursor.execute(statement(name), params)
                found: Row | None = await cursor.fetchone()
                if found is None:
                    raise NotFound
                return found

        return await self._repeated(once)

    async def calls(self, name: str, kind: type[Row], tenant: str, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Runs such a statement many times for one tenant, in one round trip and one commit: all of it becomes true, or nothing."""

        async def once() -> list[Row]:
            async with self.transaction(tenant) as tx:
                return await tx.each(name, kind, many)

        return await self._repeated(once)

    async def _repeated(self, once: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await once()
        except StoreUnavailable:
            await self._pool.check()
        return await once()

    async def ids(self, name: str, /, **params: Any) -> list[str]:
        """The first column of a statement that needs no tenant: the four narrow ways in."""
        async with self._connection() as connection:
            cursor = await connection.execute(statement(name), params)
            return [row[0] for row in await cursor.fetchall() if row[0] is not None]

    async def ping(self) -> None:
        """Raises StoreUnavailable unless Postgres answers; after its disk was found full, unless there is room to write again."""
        async with self._connection() as connection:
            await connection.execute("select 1")
            if self._full:
                async with connection.transaction():
                    await connection.execute("select set_config('work_mem', '64kB', true)")
                    await connection.execute(statement("status/room"))
        self._full = False


async def _let_go_in_time(connection: AsyncConnection[Any]) -> None:
    """A process that is frozen inside a transaction, or cut off from Postgres, does not keep its locks. Of the two limits, Postgres before 17
    has only the one for idle transactions, and within a pipeline none is idle."""
    await connection.execute(
        "select set_config(name, %s, false) from pg_settings where name in ('transaction_timeout', 'idle_in_transaction_session_timeout')",
        (f"{ENDS_WITHIN}s",),
    )


def _no_room(error: Exception) -> bool:
    """Whether a file could not grow: a full disk has a code of its own, a quota that is used up has not."""
    return isinstance(error, psycopg.errors.DiskFull) or (
        isinstance(error, psycopg.errors.InternalError_) and str(error).startswith(("could not extend", "could not write"))
    )


def _factory(kind: type[Row]) -> Any:
    return dict_row if kind is dict else class_row(kind)
