"""Ports: free ones are free, taken ones are named with who has them."""

import os
import socket

import pytest

from domain.errors import StartFailed
from embedded.ports import free_port, refusal, require_free


def test_a_chosen_port_can_be_listened_on() -> None:
    assert refusal("127.0.0.1", free_port()) is None


def test_a_taken_port_is_named_with_its_holder_and_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartFailed, match=rf"^Port {port} is taken by .*\(pid {os.getpid()}\); stop it, or choose another with --ui-port"):
            require_free("127.0.0.1", port, "--ui-port")


def test_a_port_taken_on_one_address_is_taken_for_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StartFailed):
        require_free("0.0.0.0", taken.getsockname()[1], "--port")
