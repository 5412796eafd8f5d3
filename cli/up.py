"""`up`: everything under one command."""

import os
import sys
import webbrowser
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.output import Steps, err, out, short
from embedded.stack import Serving, Wish, serve
from embedded.supervisor import Stopped

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
AUTO = 0
API, TEMPORAL, TEMPORAL_UI = 8080, 7233, 8233
WIDTH = 80


def port(value: str | int) -> int:
    """A port's number, or `auto`. A default comes here too, as the number it is."""
    value = str(value)
    if value == "auto":
        return AUTO
    if value.isascii() and value.isdigit() and 0 < int(value) < 65_536:
        return int(value)
    raise typer.BadParameter(f"{value!r} is neither a port from 1 to 65535 nor auto.")


@app.command()
def up(
    data: Annotated[Path, typer.Option(help="The folder that everything is kept in.")] = Path(".switchboard"),
    api_port: Annotated[int, typer.Option("--port", parser=port, metavar="PORT|auto", help="The API's port; auto chooses all.")] = API,
    temporal_port: Annotated[int | None, typer.Option(parser=port, metavar="PORT|auto", help="Temporal's port  [default: 7233]")] = None,
    ui_port: Annotated[int | None, typer.Option(parser=port, metavar="PORT|auto", help="Its web UI's port  [default: 8233]")] = None,
    demo: Annotated[bool, typer.Option(help="Create the demo: an agent, a web chat, an owner.")] = True,
    lan: Annotated[bool, typer.Option("--lan", help="Let this network reach the API; shows a QR code of the chat.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the console when it serves.")] = True,
    ready_file: Annotated[Path | None, typer.Option(help="Write where everything is to this file when it serves.")] = None,
) -> None:
    """Start Postgres, Temporal, the API and a worker here, and keep them running; Ctrl-C stops them."""
    wish = Wish(
        data=data,
        port=api_port,
        temporal_port=_or(temporal_port, AUTO if api_port == AUTO else TEMPORAL),
        ui_port=_or(ui_port, AUTO if api_port == AUTO else TEMPORAL_UI),
        lan=lan,
        demo=demo,
        ready_file=ready_file,
    )
    try:
        serve(wish, Terminal(browser=browser, lan=lan))
    except Stopped:
        err.print("Ended at once.")
        raise typer.Exit(130) from None


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


class Terminal(Steps):
    """Tells the person at the terminal what happens and where to look."""

    def __init__(self, *, browser: bool, lan: bool) -> None:
        super().__init__(out)
        self._browser, self._lan = browser, lan
        self.line(Text("Switchboard", style="bold"))

    def serves(self, serving: Serving) -> None:
        """Shows where to look, and opens a browser where there is one."""
        once = "signs you in, once" if "#" in serving.sign_in else ""
        self.line()
        self._place("Chat", serving.chat)
        self._place("Console", serving.sign_in, once)
        self._place("Temporal", serving.temporal_ui)
        self._place("API", f"{serving.api}/docs")
        self._place("Admin token", short(serving.admin_token_file))
        if self._lan and serving.chat:
            self.line()
            self.line(qr(serving.chat))
        self.line()
        self.line(Text("Ctrl-C stops it; the data is kept.", style="dim"))
        if self._browser and _has_browser():
            webbrowser.open(serving.sign_in)

    def _place(self, name: str, where: str | None, note: str = "") -> None:
        """One line, or two where an address is so long that it would be broken."""
        if where is None:
            return
        label = (f"  {name:<13}", "bold")
        if len(label[0]) + len(where) <= WIDTH:
            self.line(Text.assemble(label, where))
        else:
            self.line(Text.assemble(label, (note, "dim")))
            self.line(f"    {where}")

    def stopped(self, folder: Path) -> None:
        """The last line."""
        self.line(f"Stopped. The data is in {short(folder)}.")


def qr(address: str) -> str:
    """A QR code of the address, made of characters."""
    import qrcode  # noqa: PLC0415 - only --lan shows one

    code = qrcode.QRCode(border=2)
    code.add_data(address)
    drawn = StringIO()
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue().rstrip()


def _has_browser() -> bool:
    shown = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and shown and os.geteuid() != 0
