"""`make run` and `make stop`: one command starts everything and stops everything."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from billing_site.local import children, processes
from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey
from tests.billing_site.local.launcher import (
    READY,
    ROOT,
    Running,
    children_of,
    free_port,
    make_stop,
    nothing_is_left,
    processes_of,
    running,
)  # fmt: skip

pytestmark = pytest.mark.timeout(400)
# A web program that needs longer to start than the launcher is silent.
SLOW = """
import sys
from billing_site.local import children, run
web = '''
import http.server, os, time
time.sleep(2)
class Live(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Live).serve_forever()
'''
children.PATIENCE = 0.5
run.PREPARE = ["true"]
run.commands = lambda: {"web": [sys.executable, "-c", web]}
sys.exit(run.main())
"""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def var(tmp_path_factory) -> Path:
    """Return a var/ that the tests of this module share; the first start fills it."""
    return tmp_path_factory.mktemp("run") / "var"


def test_one_command_starts_everything_with_demo_data_and_ctrl_c_stops_it(var, port):
    with running(var, port) as run:
        run.wait_for(READY)
        assert f"http://127.0.0.1:{port}/" in run.output
        assert re.search(r"anna +\S+ +a customer", run.output), "the log-ins are printed"
        assert run.get("/livez").status_code == 200
        assert run.get("/pricing/").status_code == 200
        run.wait_until_ready()
        run.wait_for_a_billing_run()
        # By then the scheduler has saved what it has sent; stopped during that, it prints a traceback.
        time.sleep(3)
        assert len(processes_of(var)) >= 6
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(timeout=60) == 0, run.output
    assert "Traceback" not in run.output
    assert nothing_is_left(var), processes_of(var)


def test_a_site_that_starts_slowly_is_waited_for(tmp_path, port):
    with running(tmp_path, port, program=SLOW) as run:
        run.wait_for(READY)
        assert run.output.index("The site does not answer yet; waiting for it.") < run.output.index("The site   ")


def test_static_files_have_hashed_names_and_are_served_compressed(var, port):
    with running(var, port) as run:
        run.wait_for(READY)
        page = run.get("/pricing/").text
        names = re.findall(r'"(/static/[^"]+\.(?:css|js))"', page)
        assert names
        for name in names:
            assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", name), f"{name} has no hash"
            sent = run.get(name, **{"Accept-Encoding": "gzip"})
            assert (sent.status_code, sent.headers["Content-Encoding"]) == (200, "gzip")
            assert "immutable" in sent.headers["Cache-Control"]


def test_a_second_start_is_quick_and_a_child_that_dies_stops_everything(var, port):
    began = time.monotonic()
    with running(var, port) as run:
        run.wait_for(READY)
        assert time.monotonic() - began < 60
        run.wait_until_ready()
        os.kill(run.worker(), signal.SIGKILL)
        assert run.process.wait(timeout=60) not in (0, None)
    assert "worker ended with exit code -9" in run.output
    assert nothing_is_left(var), processes_of(var)


def test_tasks_go_on_after_the_processes_of_the_worker_were_killed(var, port):
    with running(var, port) as run:
        run.wait_for(READY)
        run.wait_until_ready()
        # Celery's main process ends if its processes are killed while it still starts them.
        run.wait_for_a_billing_run()
        workers = children_of(run.worker())
        assert workers, "the worker has processes, as in production"
        for process in workers:
            os.kill(process, signal.SIGKILL)
        # The scheduler sends a task every two seconds. If nobody takes them, they stay in the queue.
        time.sleep(6)
        with redis.Redis.from_url(Valkey(var / "valkey").cache_url(0)) as broker:
            give_up = time.monotonic() + 15
            while broker.llen("celery") and time.monotonic() < give_up:
                time.sleep(0.05)
            assert broker.llen("celery") == 0
        assert run.process.poll() is None


def test_the_next_start_and_make_stop_end_what_a_killed_launcher_left_behind(var, port):
    with running(var, port) as run:
        run.wait_for(READY)
        first = children_of(run.process.pid)
        run.process.kill()
        run.process.wait(timeout=60)
        assert first == [pid for pid in first if processes.is_alive(pid)]
    with running(var, port) as run:
        run.wait_for(READY)
        assert (
            "Ended what a killed run had left behind: web, worker, payments-worker, deliveries-worker, beat"
            in run.output
        )
        assert [pid for pid in first if processes.is_alive(pid)] == []
        assert run.get("/livez").status_code == 200
        run.process.kill()
        run.process.wait(timeout=60)
        stop = make_stop(run.environment)
    assert (stop.returncode, stop.stderr) == (0, "")
    assert stop.stdout == (
        "Stopped web of a killed run, worker of a killed run, payments-worker of a killed run, "
        "deliveries-worker of a killed run, beat of a killed run, "
        f"Valkey in {var}/valkey, PostgreSQL in {var}/postgres.\n"
    )
    assert nothing_is_left(var), processes_of(var)


def test_make_stop_ends_a_run_and_a_second_run_beside_it_is_refused(var, port):
    with running(var, port) as run:
        run.wait_for(READY)
        second = Running(var, free_port())
        assert second.process.wait(timeout=30) == 1
        assert "already running here" in (var / "output").read_text()
        assert children.RECORD.name in {file.name for file in var.iterdir()}, "the refused run left the record alone"
        stop = make_stop(run.environment)
        assert (stop.returncode, stop.stderr) == (0, "")
        assert stop.stdout == f"Stopped `make run` (process {run.process.pid}).\n"
        assert run.process.wait(timeout=5) == 0
    assert nothing_is_left(var), processes_of(var)
    stop = make_stop(run.environment)
    assert (stop.returncode, stop.stdout, stop.stderr) == (0, "Nothing was running.\n", "")


def test_make_stop_names_the_process_that_keeps_the_database_running(tmp_path):
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "LOCAL": "1"}
    command = [sys.executable, "manage.py", "shell", "--command", "print('up', flush=True); input()"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout
        while user.stdout.readline().strip() != "up":
            assert user.poll() is None
        stop = make_stop(environment)
        assert stop.returncode == 1
        for title, name in (("Valkey", "valkey"), ("PostgreSQL", "postgres")):
            start = f"Still running: {title} in {tmp_path / name} is in use by process {user.pid} ("
            assert any(line.startswith(start) and "manage.py shell" in line for line in stop.stderr.splitlines())
        user.communicate("\n", timeout=60)
    assert nothing_is_left(tmp_path)


def test_a_database_of_an_older_layout_is_refused_in_one_line_and_left_as_it_is(tmp_path, port):
    server = Postgres(tmp_path / "postgres")
    server.hold()
    tables = "SELECT relname FROM pg_stat_user_tables"
    with psycopg.connect(server.url, autocommit=True) as database:
        database.execute("CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz)")
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '0000_old', now())")
        before = database.execute(tables).fetchall()
        refused = Running(tmp_path, port)
        assert refused.process.wait(timeout=60) == 1
        assert database.execute(tables).fetchall() == before
    assert server.release()
    lines = [line for line in refused.output.splitlines() if not line.startswith("Starting ")]
    assert lines == [
        (
            f"An older version made the database in {tmp_path}/postgres. "
            "Start over: `make clean` deletes it and all local data."
        )
    ]
    assert nothing_is_left(tmp_path), processes_of(tmp_path)


def test_a_taken_port_is_refused_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = Running(tmp_path / "var", port)
        assert run.process.wait(timeout=30) == 1
    assert f"Port {port} cannot be used" in run.output
    assert f"PORT={port + 1} make run" in run.output
    assert not (tmp_path / "var" / "postgres").exists()
