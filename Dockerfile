# Sessionary as a server whose data is in the volume /data.
FROM python:3.13-slim AS build
WORKDIR /program
COPY LICENSE README.md pyproject.toml setup.cfg setup.py ./
COPY app app
RUN python -m venv /opt/sessionary && \
    /opt/sessionary/bin/pip install --no-cache-dir '.[metrics,orjson]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home sessionary
COPY --from=build /opt/sessionary /opt/sessionary
ENV PATH=/opt/sessionary/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SESSIONARY_HOST=0.0.0.0
USER 10001
# The default database is below the current folder.
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s \
    CMD ["sessionary", "ready", "http://127.0.0.1:8000"]
ENTRYPOINT ["sessionary"]
CMD ["serve", "--workers", "2"]
