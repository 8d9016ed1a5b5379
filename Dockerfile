# The daemon as an image: docs/docker.md.
#   docker build --tag beatd --build-arg VERSION=0.1.0 .
FROM python:3.13-slim-bookworm AS build
# Extras of pyproject.toml: the drivers of stores and brokers that the image has.
ARG EXTRAS=postgresql,mysql,solar,msgpack,alerts
# A version such as 1.2.3. The folder .git, which would tell it, is not sent to the build.
ARG VERSION=0.1.0.dev0
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY beatd beatd
RUN python -m venv /opt/beatd \
 && SETUPTOOLS_SCM_PRETEND_VERSION="$VERSION" /opt/beatd/bin/pip install --no-cache-dir ".[$EXTRAS]"

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --no-log-init beatd
COPY --from=build /opt/beatd /opt/beatd
# The daemon writes nothing outside of its store, so the root file system may be read-only.
ENV PATH=/opt/beatd/bin:$PATH BEATD_CONFIG=/etc/beatd/config.yaml PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /etc/beatd
EXPOSE 9753
# /live and not /ready: an orchestrator may replace a container that is not healthy, which does not
# help while a server is away. It needs `http: {bind: "0.0.0.0:9753"}`, or --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9753/live', timeout=4)"]
ENTRYPOINT ["beatd"]
CMD ["run"]
