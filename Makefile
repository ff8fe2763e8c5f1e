# Each target installs what it needs first, which takes a minute or two once.

VENV = .venv
PY = $(VENV)/bin/python
# The tests use servers of their own: var/valkey-test and, unless DATABASE_URL is set, var/postgres-test.
TEST_PROCESSES = 2
# Made-up production settings for `check --deploy`.
PRODUCTION = LOCAL=0 DEBUG=0 HTTPS=1 HSTS_SUBDOMAINS=1 SITE_URL=https://billing.example.com ALLOWED_HOSTS=billing.example.com \
	SECRET_KEY=for-the-check-only-5Gq0vXyJtR8mWb2LzKd7NcPfUhSa3eTo \
	JWT_SIGNING_KEY=for-the-check-only-u1YwQk9ZrB6sEvM4xTj8HgDnCiLp2FaX \
	MFA_KEYS=Zm9yLXRoZS1jaGVjay1vbmx5LVE5cjJNeDd2TGsxVGQ= EMAIL_URL=smtp+tls://mail.invalid:587 SELLER_EMAIL=help@example.com \
	PAYMENT_GATEWAYS=manual MANUAL_DETAILS='{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}' \
	DATABASE_URL=postgresql://billing@database.invalid/billing

.PHONY: help run test lost-charges lint bench screenshots lighthouse stop install install-dev lock clean

help: ## List these commands.
	@grep -hE '^[a-z-]+:.*## ' Makefile | while IFS=: read -r name rest; do \
		printf '  make %-13s%s\n' "$$name" "$${rest#*## }"; done

run: install ## Start web, worker, scheduler and demo data, with an embedded PostgreSQL and Valkey if needed.
	@# Until the launcher has a handler of its own, Ctrl-C (signal 2) ends Python at once, also within its imports.
	@exec $(PY) -c 'import signal; signal.signal(2, signal.SIG_DFL); from billing_site.local import run; exit(run.main())'

test: install-dev ## Run all tests (PYTEST_ARGS="..." for some of them). EVERYTHING=1 fails if a program is missing.
	@$(PY) -m tests.tools
	@exec env LOCAL=1 $(PY) -m pytest -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

lost-charges: install-dev ## Lose the answers of 10,000 charges of saved methods and compare the money (LOST_ANSWERS=...).
	@exec env LOCAL=1 LOST_ANSWERS=$(or $(LOST_ANSWERS),10000) $(PY) -m pytest -n $(TEST_PROCESSES) --timeout 0 tests/payments/collection/test_lost_charges.py

lint: install-dev ## Check style, types, import order, migrations, templates, compose file and production settings.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	LOCAL=1 $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	LOCAL=1 $(PY) manage.py makemigrations --check --dry-run
	LOCAL=1 $(PY) manage.py migration_sql var/migrations
	$(VENV)/bin/squawk --no-error-on-unmatched-pattern 'var/migrations/*.sql'
	find templates -name '*.html' -exec $(VENV)/bin/djade --check --target-version 5.2 {} +
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

bench: install-dev ## Measure postings, billing runs, statements, webhooks and the API against plain SQL, pgbench and bare views.
	@exec env LOCAL=1 $(PY) manage.py bench $(BENCH_ARGS)

screenshots: install-dev ## Take pictures of the pages of the running demo (SITE=http://127.0.0.1:8000) into var/screenshots.
	@exec $(PY) -m tests.screenshots $(or $(SITE),http://127.0.0.1:8000)

lighthouse: install-dev ## Let Lighthouse look at ten pages of the running demo (SITE=...): 100 in each category. Needs Node.js and npm.
	@exec $(PY) -m tests.lighthouse $(or $(SITE),http://127.0.0.1:8000)

stop: ## Stop what `make run` started, from another terminal or after a crash.
	@test ! -x $(PY) || exec $(PY) -m billing_site.local.stop

install: $(VENV)/run.stamp ## Create the virtual environment with the pinned requirements of the product.

install-dev: $(VENV)/dev.stamp ## The same with the requirements of tests and checks.

lock: install-dev ## Write constraints.txt from what is installed, and list newer versions.
	@# redis needs async-timeout on Python 3.11.0 to 3.11.2 only, so a newer one does not list it.
	@{ head -n 1 constraints.txt; { $(PY) -m pip freeze; grep ^async-timeout= constraints.txt; } | sort -f -u; } \
		> constraints.new && mv constraints.new constraints.txt
	@$(PY) -m pip list --outdated

clean: stop ## Remove the virtual environment and everything under var/, demo data included.
	rm -rf $(VENV) var

$(PY):
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Creating $(VENV) with $$python"; exec $$python -m venv $(VENV); fi; \
	done; echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3.11" >&2; exit 1

$(VENV)/run.stamp: requirements-local.txt requirements.txt constraints.txt | $(PY)
	@echo "Installing the requirements of the product"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements-local.txt requirements.txt constraints.txt | $(PY)
	@echo "Installing the requirements of tests and checks"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
