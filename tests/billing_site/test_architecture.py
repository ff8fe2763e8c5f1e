"""The shape of the code: foreign keys, file sizes, file names, thin views. import-linter checks the imports."""

import ast
from pathlib import Path

import grimp
import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# Foreign keys point from an app to itself or to a later one in this list.
ORDER = ["payments", "sandbox", "manual", "stripe", "subscriptions", "ledger", "events", "accounts", "core"]
FRAMEWORK = {"auth", "contenttypes"}
NOT_OURS = {".venv", "var", ".git"}


def our_files() -> list[Path]:
    """Return every Python file of the repository, relative to its root."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    return sorted(path for path in paths if path.parts[0] not in NOT_OURS)


@pytest.mark.parametrize("label", ORDER)
def test_foreign_keys_point_one_way(label):
    allowed = set(ORDER[ORDER.index(label) :]) | FRAMEWORK
    wrong = [
        f"{model.__name__}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and isinstance(field.related_model, type)
        if field.related_model._meta.app_label not in allowed
    ]
    assert wrong == []


def test_billing_site_has_no_tables():
    assert list(apps.get_app_config("billing_site").get_models()) == []


def test_no_file_is_longer_than_350_lines():
    long = {str(path): lines for path in our_files() if (lines := len((ROOT / path).read_text().splitlines())) > 350}
    assert long == {}


def test_the_median_file_is_short():
    written = [path for path in our_files() if path.name != "__init__.py" and "migrations" not in path.parts]
    sizes = sorted(len((ROOT / path).read_text().splitlines()) for path in written)
    assert sizes[len(sizes) // 2] <= 100


def test_no_module_is_named_after_a_pattern():
    """A file with such a name has no reason to stop growing."""
    patterns = {"services.py", "utils.py", "helpers.py", "managers.py", "common.py", "misc.py"}
    assert [str(path) for path in our_files() if path.name in patterns] == []


def test_no_module_is_named_after_an_act_or_a_state():
    """Modules are named by nouns; these ones in -ing are nouns of the trade."""
    nouns = {"metering.py", "posting.py", "pricing.py", "billing.py", "ageing.py", "clearing.py"}
    product = (path for path in our_files() if path.parts[0] != "tests" and path.name not in nouns)
    assert [str(path) for path in product if path.stem.endswith(("ing", "ed"))] == []


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph("core", "accounts", "events", "ledger", "subscriptions", "payments", "billing_site")
    waiting = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    # Take away whatever imports nothing that is left, until nothing can be taken away.
    while free := {module for module, imported in waiting.items() if not imported & waiting.keys()}:
        waiting = {module: imported for module, imported in waiting.items() if module not in free}
    assert waiting == {}


def test_views_tasks_and_commands_stay_thin():
    """The API, the admin and the scheduler do not apply a rule that is in a view."""
    too_long = {
        f"{path}:{node.lineno} {node.name}": length
        for path in our_files()
        for limit in [limit_of(path)]
        if limit
        for node in functions(path)
        if is_thin(path, node) and (length := statements(node)) > limit
    }
    assert too_long == {}


def limit_of(path: Path) -> int | None:
    """Return how many lines the body of a function in this file may have; None for no limit."""
    if path.parts[0] == "tests":
        return None
    if path.name == "tasks.py":
        return 5
    return 18 if path.name == "views.py" or {"commands", "web", "api", "webhooks"} & set(path.parts) else None


def is_thin(path: Path, node: ast.FunctionDef) -> bool:
    """Return whether the limit applies. A page's module also assembles the page, so there it applies to views only."""
    if not {"web", "api", "webhooks"} & set(path.parts):
        return True
    decorators = ast.unparse(ast.Tuple(elts=list(node.decorator_list), ctx=ast.Load()))
    return "require_" in decorators or "extend_schema" in decorators


def functions(path: Path):
    tree = ast.parse((ROOT / path).read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def statements(node: ast.FunctionDef) -> int:
    """Count the lines of the body without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
