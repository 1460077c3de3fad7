# The service without the embedded database: it needs MONGO_URL (a replica set).
# All stages share one base, because a virtual environment points at the Python it was made with.
# The same minor version as in the tests. The digest (of the index for all platforms) says which image that
# is; the tag, which moves with Python's and Debian's security fixes, only says what it was then. A newer one:
#   docker buildx imagetools inspect python:3.11-slim-trixie --format '{{.Manifest.Digest}}'
ARG PYTHON_IMAGE=python:3.11-slim-trixie@sha256:9534e5a8e315485d4061ed659af0fd78a284c015f9b73661b41d6bab25604534

# The pages' scripts, built by the Node of a Python package: no second base image to keep up to date.
FROM ${PYTHON_IMAGE} AS frontend
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements-frontend.txt ./
RUN python -m pip install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-frontend.txt
COPY frontend/package.json frontend/package-lock.json ./frontend/
RUN cd frontend && npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./frontend
RUN cd frontend && npm run --silent build


# Dependencies in a stage and a layer of their own, which outlive every change of our own code.
FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements-server.txt ./
RUN python -m venv --without-pip /opt/benchmark-manager \
    && python -m pip --python /opt/benchmark-manager/bin/python install \
        --no-cache-dir --only-binary=:all: --require-hashes -r requirements-server.txt


FROM dependencies AS build
COPY requirements-build.txt ./
RUN python -m pip install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-build.txt

COPY pyproject.toml README.md LICENSE ./
COPY benchmark_manager ./benchmark_manager
COPY github_test_server ./github_test_server
COPY --from=frontend /src/benchmark_manager/web/static/dist ./benchmark_manager/web/static/dist
# Without isolation, so that the build backend too is the one whose hashes are pinned. Into a folder of its
# own, laid out as the virtual environment is, with commands that start that environment's Python.
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /opt/benchmark-manager/bin/python install \
        --no-cache-dir --no-index --no-deps --no-warn-script-location --prefix /own /wheels/*.whl


FROM ${PYTHON_IMAGE}
# A numeric user, so that Kubernetes can tell that it is not root. The data folder is the only folder
# that the service writes to (the key which it generates when SECRET_KEY is unset). Whatever user a
# container runs as can write there (OpenShift takes a random one): as in /tmp, each only its own files.
RUN groupadd --gid 10001 benchmark-manager \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home \
        --home-dir /var/lib/benchmark-manager --shell /usr/sbin/nologin benchmark-manager \
    && install --directory --owner=10001 --group=0 --mode=1777 /var/lib/benchmark-manager

COPY --from=dependencies /opt/benchmark-manager /opt/benchmark-manager
COPY --from=build /own /opt/benchmark-manager

ENV PATH=/opt/benchmark-manager/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8001 \
    DATA_DIR=/var/lib/benchmark-manager

WORKDIR /var/lib/benchmark-manager
USER 10001:10001
VOLUME ["/var/lib/benchmark-manager"]
EXPOSE 8001

# The start may wait 30 s for MongoDB. An HTTP_PROXY meant for GitHub must not catch this request.
HEALTHCHECK --interval=10s --timeout=5s --start-period=45s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]

ENTRYPOINT ["benchmark-manager"]
CMD ["serve"]

# Last, since they change with every build and each change makes all that follows anew.
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Benchmark Manager" \
      org.opencontainers.image.description="Exact copies of benchmark configuration from GitHub, and variants kept apart from them" \
      org.opencontainers.image.source="https://github.com/benchmark-manager/benchmark-manager" \
      org.opencontainers.image.documentation="https://github.com/benchmark-manager/benchmark-manager/blob/main/docs/deployment.md" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
