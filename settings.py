"""Every setting: its type, its default and one sentence. Read by wiring only; the rest of the code receives values."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(ge=0)]


class Settings(BaseSettings):
    """What a process of Switchboard is told from outside, by environment variables of the same name in capitals.

    Raises `pydantic.ValidationError`, naming the variable, when a value does not fit its type.
    """

    model_config = SettingsConfigDict(env_prefix="SWITCHBOARD_", extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(default=SecretStr(""), validation_alias="DATABASE_URL")
    """The app's Postgres connection (a role that owns nothing); `up` fills it with the embedded one."""
    owner_database_url: SecretStr = SecretStr("")
    """The owner's Postgres connection, for `migrate`, `prepare`, `apply`, `forget` and `doctor`; the API and the workers never use it."""
    temporal_address: str = Field(default="127.0.0.1:7233", validation_alias="TEMPORAL_ADDRESS")
    """Host and port of Temporal's frontend; TLS and API key come from Temporal's usual variables."""
    temporal_namespace: str = Field(default="default", validation_alias="TEMPORAL_NAMESPACE")
    """Temporal's namespace that holds the workflows."""
    temporal_ui_url: str = "http://127.0.0.1:8233"
    """Where Temporal's web UI is seen by a browser; run links start with it."""
    public_url: str = "http://127.0.0.1:8080"
    """Where this API is seen from outside; links and webhook addresses start with it."""
    host: str = "127.0.0.1"
    """The address the API listens on."""
    port: int = 8080
    """The port the API listens on."""
    sealing_keys: SecretStr = SecretStr("")
    """Fernet keys that seal secrets, newest first, separated by commas."""
    signing_key: SecretStr = SecretStr("")
    """The key that signs visitor tokens, console cookies and cursors."""
    data_dir: Path = Path(".switchboard")
    """The folder that `up` keeps everything in."""
    log_level: str = "INFO"
    """The least severe level that is logged: DEBUG, INFO, WARNING or ERROR."""
    pool_size: int = Field(default=8, ge=2)
    """The most Postgres connections one process opens for its work."""
    linger: Seconds = 75.0
    """How long, in seconds, a session's run waits for more before it returns."""
    sweep_every: Seconds = 2.0
    """How often, in seconds, a worker looks for promises that are past."""
    turn_steps: int = Field(default=30, ge=1)
    """The most steps one turn may take before it ends with an explanation."""
    transcript_window: int = Field(default=100, ge=1)
    """How many past messages an agent is shown."""
    think_timeout: float = Field(default=300.0, gt=10)
    """The longest time, in seconds, one model request may take."""
    think_attempts: int = Field(default=5, ge=1)
    """How many times a model request that fails is tried before the person is told."""
    session_expires_after: Seconds = 30 * 24 * 3600.0
    """Seconds without use after which a session is closed as expired; it stays readable."""
    approval_within: Seconds = 30 * 60.0
    """Seconds a human has to decide where the request does not say."""
    looks_before_continue: int = Field(default=0, ge=0)
    """Continue a session's run as new after this many looks; 0 leaves it to Temporal's own suggestion."""
    chat_connections: int = Field(default=100, ge=1)
    """The most web chat sockets an account may have open at once in one API process."""
    chat_heartbeat: Seconds = 30.0
    """Seconds between the pings that find out whether a web chat socket is alive."""
    chat_stale_after: Seconds = 300.0
    """Seconds without any frame or pong after which a web chat socket is closed."""
    chat_poll: Seconds = 3.0
    """Seconds between the looks that mend a missed notification."""
    metrics_port: int = Field(default=0, ge=0)
    """The port of a worker's own Prometheus endpoint; 0 opens none."""
    deployment: str = Field(default="", pattern=r"^[\w-]*$")
    """The name of the Temporal worker deployment that the workers belong to; empty leaves them unversioned."""
    build_id: str = Field(default="", pattern=r"^[\w.-]*$")
    """The workers' version in that deployment, another one for each release."""
    tour: bool = False
    """Whether the chat's tour may have this machine's worker and API killed; only `up` sets it, for the demo on its owner's own machine."""
    graceful_shutdown: Seconds = 10.0
    """Seconds a stopping worker gives its running activities."""
