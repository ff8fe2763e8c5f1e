# The same image runs web, worker, scheduler and migrations; docker-compose.yml says which.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.txt constraints.txt ./
RUN pip install --requirement requirements.txt

COPY . .
# Translations and static files are built here, so that a container starts quickly and its files can be read-only.
RUN useradd --create-home --uid 10001 billing \
    && LOCAL=1 python -m billing_site.local.translations \
    && LOCAL=0 SECRET_KEY=only-for-collecting-static-files python manage.py collectstatic --noinput --verbosity 0 \
    && chown -R billing:billing var

USER billing
EXPOSE 8000
ENV HOST=0.0.0.0 PORT=8000
CMD ["gunicorn", "--config", "python:billing_site.gunicorn"]
