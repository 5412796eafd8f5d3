"""The API as commands call it: JSON in and out, and one sentence when something is wrong."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import httpx

from cli.output import short
from cli.place import DATA, ApiOption, DataOption, KeyOption, Place, find, nothing_answers
from domain.errors import Refused, Unavailable

P = ParamSpec("P")
CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 15.0
"""Seconds, on top of those that a request itself asks the API to wait."""


class Api:
    """The API of one place. Every call raises Refused with the API's own sentence (and `code`), or Unavailable."""

    def __init__(self, place: Place) -> None:
        self.place = place
        headers = {"authorization": f"Bearer {place.key}"} if place.key else {}
        timeout = httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN)
        self._http = httpx.Client(base_url=place.api, headers=headers, timeout=timeout, trust_env=not place.near)

    def get(self, path: str, **params: Any) -> Any:
        """The body of what is there. Parameters that are None are left out; `wait` is how many seconds the API may take."""
        given = {name: value for name, value in params.items() if value is not None}
        timeout = httpx.Timeout(given.get("wait", 0) + ANSWER_WITHIN, connect=CONNECT_WITHIN)
        return self._body(self._send("GET", path, params=given, timeout=timeout))

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The body that a change is answered with; None where there is none."""
        return self._body(self._send("POST", path, json=body, headers=headers))

    def probe(self, path: str) -> httpx.Response:
        """The plain response, whatever its status. Raises Unavailable when nothing answers."""
        return self._send("GET", path)

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(nothing_answers(self.place)) from error
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.place.api} takes too long to answer; the logs in {short(self.place.data / 'logs')} may say why.") from error
        except httpx.TransportError as error:
            raise Unavailable(f"{self.place.api} broke off before it answered; try again, and see its log if that does not help.") from error

    def _body(self, response: httpx.Response) -> Any:
        if response.is_success:
            try:
                return response.json() if response.content else None
            except ValueError as error:
                raise Refused(f"{self.place.api} does not answer as Switchboard does; name its API with --api.") from error
        problem = _problem(response)
        if response.status_code == 401 and not self.place.key:
            raise Refused("No key is known; give one with --key or SWITCHBOARD_KEY, or name the folder of `up` with --data.", code="unauthorized")
        if response.status_code == 401:
            raise Refused(f"{self.place.api} does not know this key; give another with --key or SWITCHBOARD_KEY.", code="unauthorized")
        if not problem:
            raise Refused(f"{self.place.api} answered {response.status_code}; name Switchboard's API with --api.")
        raise (Unavailable if response.status_code >= 500 else Refused)(problem.pop("detail"), **problem)


def _problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of an error; empty when it is none of ours."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("detail"), str) and "code" in found else {}


@contextmanager
def opened(place: Place) -> Iterator[Api]:
    """The API of a place, closed afterwards."""
    api = Api(place)
    try:
        yield api
    finally:
        api.close()


def speaking(command: Callable[Concatenate[Api, P], None]) -> Callable[..., None]:
    """Gives a command --api, --key and --data, and calls it with the API they name as its first argument."""

    @functools.wraps(command)
    def spoken(*args: Any, api_url: str, key: str, data: Path, **kwargs: Any) -> None:
        with opened(find(api_url, key, data)) as api:
            command(api, *args, **kwargs)

    told = inspect.signature(command)
    own = list(told.parameters.values())[1:]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, default, kind in (("api_url", "", ApiOption), ("key", "", KeyOption), ("data", DATA, DataOption))
    ]
    vars(spoken)["__signature__"] = told.replace(parameters=[*own, *common])
    return spoken
