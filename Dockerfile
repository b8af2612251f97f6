# The service. `docker build -t evenhand .`; see compose.yaml and docs/runbook.md.
FROM python:3.12-slim AS build
WORKDIR /build
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY api api
COPY scenarios scenarios
COPY solver solver
RUN python -m venv /opt/evenhand \
 && /opt/evenhand/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/evenhand /opt/evenhand
# Compiled searches are kept where the user may write; everything else of the image is read only.
ENV PATH=/opt/evenhand/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/var/lib/evenhand/numba \
    EVENHAND_HOST=0.0.0.0 EVENHAND_DATABASE_URL=sqlite:////var/lib/evenhand/evenhand.db
RUN useradd --system --uid 10001 --home-dir /var/lib/evenhand --create-home evenhand
USER evenhand
WORKDIR /var/lib/evenhand
RUN python -m solver.warm
VOLUME /var/lib/evenhand
EXPOSE 8000
# SIGTERM ends it gracefully: requests that have begun are answered.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=2)"]
ENTRYPOINT ["evenhand"]
CMD ["serve"]
