# One image for web, workers and beat; docker-compose.yml names what each runs.
FROM node:24-bookworm-slim AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
ARG TORCH="torch==2.13.0"
ARG TORCH_INDEX=""
RUN python -m venv /opt/fovea
COPY requirements/base.in requirements/alone.in constraints.txt /tmp/
# torch first and alone; the CPU build or a CUDA one, as TORCH and TORCH_INDEX say.
RUN /opt/fovea/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$TORCH" \
 && /opt/fovea/bin/pip install --no-cache-dir -c /tmp/constraints.txt -r /tmp/base.in \
 && /opt/fovea/bin/pip install --no-cache-dir --no-deps -r /tmp/alone.in

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin fovea \
 && install -d -o fovea -g fovea -m 700 /var/lib/fovea
COPY --from=packages /opt/fovea /opt/fovea
WORKDIR /srv/fovea
COPY manage.py pyproject.toml ./
COPY annotation ./annotation
COPY mlworker ./mlworker
COPY platform ./platform
COPY frontend/templates ./frontend/templates
COPY --from=frontend /build/frontend/static ./frontend/static
RUN /opt/fovea/bin/python -m compileall -q annotation mlworker platform
ENV PATH=/opt/fovea/bin:$PATH \
    PYTHONPATH=/srv/fovea/platform:/srv/fovea \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    FOVEA_HOME=/var/lib/fovea
USER fovea
VOLUME /var/lib/fovea
EXPOSE 8000
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-access-log"]
