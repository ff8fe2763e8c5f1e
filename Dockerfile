# The same image runs web, worker, scheduler and migrations; docker-compose.yml says which. Every requirement comes as a
# wheel, so nothing is compiled. The first stage installs them and builds translations and static files; pip stays there.
FROM python:3.11.17-slim-trixie@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51 AS build

ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/venv/bin:$PATH
WORKDIR /app
COPY requirements.txt constraints.txt ./
# The embedded PostgreSQL and Valkey (requirements-local.txt) are for a machine without servers.
RUN python -m venv --without-pip /venv \
    && /usr/local/bin/python -m pip --python /venv/bin/python install --only-binary :all: --requirement requirements.txt

COPY . .
# A container starts quickly, and its files can be read-only.
RUN LOCAL=1 python -m billing_site.local.translations \
    && LOCAL=0 SECRET_KEY=only-for-collecting-static-files python manage.py collectstatic --noinput --verbosity 0

FROM python:3.11.17-slim-trixie@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH
# Pango lays out the PDF of receipts and statements.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
RUN pip uninstall --yes --quiet --root-user-action ignore pip setuptools wheel \
    && useradd --no-create-home --uid 10001 billing
COPY --from=build /venv /venv
# Owned by root: the product cannot change its own code.
COPY --from=build /app /app
WORKDIR /app

USER billing
ENV HOST=0.0.0.0
CMD ["gunicorn", "--config", "python:billing_site.gunicorn"]
