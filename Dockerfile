# The image of the GitHub Action; it serves GitLab CI and a shell as well.

FROM python:3.13-slim AS build
RUN python3 -m venv --without-pip /opt/tooken-ci
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# What changes least comes first: the locked dependencies are one layer, the package itself is another.
COPY requirements/build.txt requirements/runtime.txt /src/requirements/
RUN python3 -m pip install --no-deps --require-hashes --requirement /src/requirements/build.txt \
 && python3 -m pip --python /opt/tooken-ci/bin/python install --no-deps --require-hashes --requirement /src/requirements/runtime.txt
COPY LICENSE README.md pyproject.toml /src/
COPY tooken_ci /src/tooken_ci
RUN python3 -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /dist /src \
 && python3 -m pip --python /opt/tooken-ci/bin/python install --no-index --no-deps /dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="tooken-ci" \
      org.opencontainers.image.description="API tokens as code for Tooken: plan, apply and deliver from CI" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /opt/tooken-ci /opt/tooken-ci
COPY entrypoint.py /opt/tooken-ci/entrypoint.py
# The base image carries no compiled bytecode. One start here compiles what every later start imports, and proves
# that the command works; after it nothing writes to the root, which may be mounted read-only.
RUN ln -s entrypoint.py /opt/tooken-ci/post-entrypoint.py \
 && /opt/tooken-ci/bin/tooken-ci --version
ENV PATH=/opt/tooken-ci/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
# No USER: GitHub starts a Docker action as root and mounts the workspace, which only root can write, over the working
# directory. Elsewhere the image runs under any user.
ENTRYPOINT ["/opt/tooken-ci/bin/python", "/opt/tooken-ci/entrypoint.py"]
