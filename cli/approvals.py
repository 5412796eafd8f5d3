"""`approvals`: what waits for a human, and the human's word on it."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from cli import approval_screen as view
from cli.client import Api, speaking
from cli.groups import noun
from cli.output import err, out
from cli.pairs import pairs
from cli.spans import ago, seconds
from cli.tables import as_json, blank, more
from domain.approvals import arguments_sha256
from domain.errors import Refused, SwitchboardError, Unavailable

app = noun("What waits for a human, and the human's word on it. Without a command: what waits.", "list", "--state", "pending")
ONE_WAIT = 50.0
"""Seconds that one request waits at the API; shorter than what proxies allow."""
NOT_APPROVED, STILL_WAITING = 3, 4
"""Exit codes of `wait`: the verdict is another, or there is none yet."""

Id = Annotated[str, typer.Argument(metavar="ID", help="The approval, such as apr_01k….")]
Json = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Comment = Annotated[str, typer.Option(metavar="TEXT", help="Why; everybody who sees the approval can read it.")]
Answer = Annotated[str, typer.Option(metavar="TEXT", help="The answer, or one of the options, where that is what was asked.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Decide without being asked once more.")]
States = Literal["pending", "decided", "expired", "cancelled"]


@app.command("list")
@speaking
def list_(
    api: Api, state: Annotated[States | None, typer.Option(metavar="STATE", help="Only pending, decided, expired or cancelled ones.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="Only those of this session.")] = None,
    conversation: Annotated[str | None, typer.Option("--conversation", metavar="ID", help="Only those of this conversation.")] = None,
    cursor: Annotated[str | None, typer.Option(metavar="ID", help="Go on after this one, as the page before says.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many, up to 200.")] = 50, json_: Json = False,
) -> None:  # fmt: skip
    """Approvals, newest first."""
    body = api.get("/v1/approvals", state=state, session_id=session, conversation_id=conversation, cursor=cursor, limit=limit)
    if json_:
        return as_json(body)
    for number, seen in enumerate(body["items"]):
        if number:
            blank()
        view.list_entry(seen)
    if not body["items"]:
        out.print("Nothing waits for a decision." if state == "pending" else "There is no such approval.")
    return more(body)


@app.command()
@speaking
def show(api: Api, approval: Id, json_: Json = False) -> None:
    """One approval, with everything that a decision needs."""
    seen = api.get(f"/v1/approvals/{approval}")
    as_json(seen) if json_ else view.screen(seen)


@app.command()
@speaking
def approve(api: Api, approval: Id, comment: Comment = "", answer: Answer = "", yes: Yes = False, json_: Json = False) -> None:
    """Show what is asked, then approve exactly that."""
    _decide(api, approval, "approved", comment, answer, yes, json_)


@app.command()
@speaking
def deny(api: Api, approval: Id, comment: Comment = "", yes: Yes = False, json_: Json = False) -> None:
    """Show what is asked, then deny it."""
    _decide(api, approval, "denied", comment, "", yes, json_)


def _decide(api: Api, approval: str, verdict: str, comment: str, answer: str, yes: bool, json_: bool) -> None:
    seen = api.get(f"/v1/approvals/{approval}")
    view.screen(seen, err if json_ else out)
    if seen["state"] == "pending" and not yes:
        _confirm("Approve this?" if verdict == "approved" else "Deny this?")
    body: dict[str, Any] = {"verdict": verdict, "comment": comment, "arguments_sha256": arguments_sha256(seen["arguments"])}
    try:
        decided = api.post(f"/v1/approvals/{approval}/decide", body | ({"answer": answer} if answer else {}))
    except Refused as refused:
        raise _with_the_facts(api, approval, refused) from refused
    if json_:
        return as_json(decided)
    blank()
    return out.print(_told(decided, verdict))


def _confirm(question: str) -> None:
    if not err.is_terminal:
        raise Refused("Nobody is there to ask; add --yes to decide without a question.")
    blank(err)
    if not typer.confirm(question, err=True):
        err.print("Nothing was decided.")
        raise typer.Exit(1)


def _with_the_facts(api: Api, approval: str, refused: Refused) -> SwitchboardError:
    """The refusal with who decided, when and what, where that is why."""
    if refused.extra.get("code") not in ("already_decided", "expired"):
        return refused
    seen = api.get(f"/v1/approvals/{approval}")
    return Refused(f"It was {view.outcome(seen).plain}.") if seen["state"] != "pending" else refused


def _told(decided: Mapping[str, Any], verdict: str) -> Text:
    if decided["repeated"]:
        return Text(f"You had said so already, {ago(decided['decided_at'])}." if decided["decided_at"] else "You had said so already.")
    if decided["state"] == "pending":
        return Text("Your word is counted; others have to decide, too.")
    return Text("Approved." if verdict == "approved" else "Denied.", style="green" if verdict == "approved" else "red")


@app.command()
@speaking
def wait(
    api: Api, approval: Id, json_: Json = False,
    timeout: Annotated[float | None, typer.Option(parser=seconds, metavar="SPAN", help="At most so long: 90s, 30m, 2h.")] = None,
) -> None:  # fmt: skip
    """Wait for the verdict. Exit code 0: approved, 3: another verdict, 4: none yet after --timeout."""
    _tell_verdict(_wait(api, approval, timeout), json_)


def _wait(api: Api, approval: str, timeout: float | None) -> Mapping[str, Any]:
    """The approval once it is decided, or when the time is over. While the API is away it goes on waiting, if it ever answered."""
    ends = None if timeout is None else time.monotonic() + timeout
    seen: Mapping[str, Any] = api.get(f"/v1/approvals/{approval}")
    with err.status(Text(f"Waiting for {view.approvers_in_words(seen['approvers'])} …")):
        while seen["state"] == "pending" and (ends is None or time.monotonic() < ends):
            span = ONE_WAIT if ends is None else min(ONE_WAIT, max(0.0, ends - time.monotonic()))
            try:
                seen = api.get(f"/v1/approvals/{approval}", wait=round(span, 1))
            except Unavailable:
                time.sleep(1)
    return seen


def _tell_verdict(seen: Mapping[str, Any], json_: bool) -> None:
    if json_:
        as_json(seen)
    elif seen["state"] == "pending":
        err.print(Text(f"Still waiting for {view.approvers_in_words(seen['approvers'])}; wait on with `switchboard approvals wait {seen['id']}`."))
    else:
        out.print(view.outcome(seen))
    if seen["verdict"] != "approved":
        raise typer.Exit(STILL_WAITING if seen["state"] == "pending" else NOT_APPROVED)


@app.command()
@speaking
def ask(
    api: Api, action: Annotated[str, typer.Argument(metavar="ACTION", help="What is to be done, in a word or a sentence.")],
    arg: Annotated[list[str] | None, typer.Option(metavar="NAME=TEXT|NAME:=JSON", help="An argument of it; may be repeated.")] = None,
    approver: Annotated[list[str] | None, typer.Option(metavar="WHO", help="Who may decide: an id, a role or `owner`; may be repeated.")] = None,
    quorum: Annotated[int, typer.Option(min=1, metavar="N", help="How many of them have to agree.")] = 1,
    within: Annotated[float, typer.Option(parser=seconds, metavar="SPAN", help="Time to decide: 90s, 30m, 2h.", show_default="30m")] = 1800.0,
    kind: Annotated[Literal["approve", "choose", "answer"], typer.Option(metavar="KIND", help="approve, choose or answer.")] = "approve",
    option: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="A choice of --kind choose; may be repeated.")] = None,
    context: Annotated[str, typer.Option(metavar="TEXT", help="What whoever decides should know.")] = "",
    on_timeout: Annotated[Literal["deny", "approve", "cancel"], typer.Option(metavar="WORD", help="Else: deny, approve or cancel.")] = "deny",
    allow_self: Annotated[bool, typer.Option("--allow-self", help="Whoever asks may decide, too.")] = False,
    wait_: Annotated[bool, typer.Option("--wait", help="Wait for the verdict, with the exit codes of `wait`.")] = False, json_: Json = False,
) -> None:  # fmt: skip
    """Ask a human from a script."""
    of = approver or ["owner"]
    asked: dict[str, Any] = {"action": action, "arguments": pairs(arg or [], "--arg"), "within": within, "kind": kind, "context": context}
    asked |= {"approvers": {"quorum": quorum, "of": of} if quorum > 1 else of, "on_timeout": on_timeout, "allow_self": allow_self}
    seen = api.post("/v1/approvals", asked | ({"options": option} if option else {}))
    if wait_:
        if not json_:
            err.print(Text(seen["id"], style="dim"))
        return _tell_verdict(_wait(api, seen["id"], None), json_)
    return as_json(seen) if json_ else view.screen(seen)
