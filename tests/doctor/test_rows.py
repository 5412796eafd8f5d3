"""What waits, was set aside, is uncertain or expires: each is brought about in rows, seen by its check alone, and gone again."""

import pytest
from cryptography.fernet import Fernet

from store.seal import Seal
from tests.doctor.conftest import Elsewhere, Look, broken, executed, skipped

OF_ALL_TENANTS = {"schema", "unanswered", "promises", "parked", "unknown", "api-keys", "sealed"}
WAITS = "update messages set state = 'pending', due_at = now() - interval '{0}', accepted_at = now() - interval '{0}'"
CALM = "update messages set state = 'accepted', due_at = null, accepted_at = now()"


async def test_nothing_is_wrong_with_the_rows_to_begin_with(away: Look) -> None:
    found = await away()

    assert broken(found) == {}
    assert not skipped(found) & OF_ALL_TENANTS


@pytest.mark.parametrize(
    ("check", "state", "breaks", "mends"),
    [
        ("unanswered", "warn", WAITS.format("6 min"), CALM),
        ("unanswered", "fail", WAITS.format("2 h"), CALM),
        ("promises", "warn", "update sessions set wake_at = now() - interval '30 s'", "update sessions set wake_at = null"),
        ("promises", "fail", "update approvals set wake_at = now() - interval '5 min'", "update approvals set wake_at = null"),
        ("parked", "warn", "update messages set state = 'parked'", CALM),
        ("unknown", "warn", "update messages set state = 'unknown'", CALM),
        ("api-keys", "warn", "update keys set expires_at = now() - interval '1 day'", "update keys set expires_at = null"),
        ("api-keys", "warn", "update keys set expires_at = now() + interval '3 days'", "update keys set expires_at = null"),
    ],
)
async def test_a_row_that_deserves_a_look_is_seen_by_its_check_alone(
    away, elsewhere: Elsewhere, check: str, state: str, breaks: str, mends: str
) -> None:
    executed(elsewhere.sql, breaks)
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, mends)

    assert broken(found) == {check: state}
    assert found[check].mend
    assert broken(await away(check)) == {}


@pytest.mark.parametrize(
    "calm",
    [
        WAITS.format("3 s"),
        f"{WAITS.format('2 h')}; update sessions set life = 'suspended'",
        f"{WAITS.format('2 h')}; update conversations set handed_off_to = 'mem_1'",
    ],
)
async def test_a_message_that_waits_for_a_good_reason_is_no_trouble(away: Look, elsewhere: Elsewhere, calm: str) -> None:
    executed(elsewhere.sql, calm)
    try:
        found = await away("unanswered")
    finally:
        executed(elsewhere.sql, CALM, "update sessions set life = 'open'", "update conversations set handed_off_to = null")

    assert found["unanswered"].state == "ok"


async def test_a_revoked_key_may_have_expired(away: Look, elsewhere: Elsewhere) -> None:
    executed(elsewhere.sql, "update keys set expires_at = now() - interval '1 day', revoked_at = now()")
    try:
        found = await away("api-keys")
    finally:
        executed(elsewhere.sql, "update keys set expires_at = null, revoked_at = null")

    assert found["api-keys"].state == "ok"


async def test_sealing_keys_have_to_open_every_sealed_account(away: Look, elsewhere: Elsewhere) -> None:
    other = Fernet.generate_key().decode()
    elsewhere.sql.execute("update accounts set sealed = %s", (Seal([elsewhere.sealing_key]).close({"token": "xyz"}),))
    try:
        fits, lost = await away("sealed"), await away(SWITCHBOARD_SEALING_KEYS=other)
        rotated = await away("sealed", SWITCHBOARD_SEALING_KEYS=f"{other},{elsewhere.sealing_key}")
        malformed = await away("sealed", SWITCHBOARD_SEALING_KEYS="no-key")
        unset = await away("sealed", SWITCHBOARD_SEALING_KEYS="")
    finally:
        elsewhere.sql.execute("update accounts set sealed = null")

    assert fits["sealed"].state == "ok"
    assert broken(lost) == {"sealed": "fail"}
    assert "1 with an older key" in rotated["sealed"].found
    assert broken(malformed) == {"sealed": "fail"}
    assert "no-key" not in repr(malformed)
    assert skipped(unset) == {"sealed"}


async def test_without_the_owners_connection_what_belongs_to_all_tenants_is_left_out_with_a_sentence(away: Look) -> None:
    found = await away(SWITCHBOARD_OWNER_DATABASE_URL="")

    assert skipped(found) >= OF_ALL_TENANTS
    assert {found[name].found for name in OF_ALL_TENANTS} == {"Only the database's owner sees all tenants; set SWITCHBOARD_OWNER_DATABASE_URL."}
    assert broken(found) == {}


async def test_a_message_is_named_by_its_id_and_never_quoted(away: Look, elsewhere: Elsewhere) -> None:
    executed(elsewhere.sql, "update messages set state = 'parked', text = 'between us', error = 'between us'")
    try:
        found = await away("parked")
        row = elsewhere.sql.execute("select id from messages").fetchone()
    finally:
        executed(elsewhere.sql, CALM)

    assert row
    assert row["id"] in found["parked"].found
    assert "between us" not in repr(found)
