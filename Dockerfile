# docker build --tag askpy .                  (podman build --format docker: its own format has no HEALTHCHECK)
# docs/deploy.md says how it is run. Dependabot moves the base image: version and digest together, in both stages.
FROM python:3.13.16-slim-trixie@sha256:bf44cdfcb76cd3b41e879bc058fc37ec5872002ccfde7fcb765e218cde0cd79c AS build

WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.txt .
RUN python -m pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes --requirement requirements.txt
COPY bot bot
COPY knowledge knowledge
# Bytecode that isn't compared with its source's time, because nothing can be written at run time; readable by any user, whatever the
# checkout's umask was; and the index of the pack that is shipped, so that the first start takes no seconds for it.
RUN chmod -R a+rX,go-w . \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib bot \
    && ASKPY_CACHE=/data/cache PYTHONDONTWRITEBYTECODE=1 /venv/bin/python -m bot ask "what's Tornado?"


FROM python:3.13.16-slim-trixie@sha256:bf44cdfcb76cd3b41e879bc058fc37ec5872002ccfde7fcb765e218cde0cd79c

RUN groupadd --gid 10001 askpy \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin askpy
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data

WORKDIR /app
USER 10001:10001
# In Socket Mode PORT is for /healthz and /metrics.
ENV PATH=/venv/bin:$PATH \
    PORT=3000 \
    DATABASE_URL=sqlite:////data/askpy.db \
    ASKPY_CACHE=/data/cache \
    ASKPY_LOG_FORMAT=json \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 3000
# http.client: urllib would ask the proxy that HTTP_PROXY names, for 127.0.0.1, too.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot", "serve"]
