"""Where definitions come from: entry points and loose files, one road for all.

An installed pack names a module by an entry point of group ``kpibook``; a loose file
lies in the plugin folder of the params file. Our own pack takes the first road.
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from kpibook import catalog, hookspecs, intact
from kpibook.definition import Definition
from kpibook.errors import PluginError, Problem
from kpibook.tracing import Source

GROUP = "kpibook"
HOOK = "kpibook_definitions"


@dataclass(frozen=True)
class Discovered:
    """The catalogue, and installed packs that could not be loaded (the report names them)."""

    catalog: catalog.Catalog
    broken: tuple[Problem, ...]


@dataclass(frozen=True)
class _Plugin:
    origin: str
    module: ModuleType


def discover(folder: Path | None = None) -> Discovered:
    """Load installed packs, then the loose ``*.py`` files of ``folder`` in name order.

    Raises PluginError with every problem: two distributions under one entry-point name, a
    loose file that cannot be imported or offers nothing, a misspelt hook, duplicate ids,
    unknown tables or columns.
    """
    intact.keep()
    packs, broken = _packs()
    loose, problems = _loose(folder)
    plugins = [*packs, *loose]
    if problems:
        raise PluginError(problems)
    sources, more = _definitions(plugins)
    if more:
        raise PluginError(more)
    return Discovered(catalog.build(sources), tuple(broken))


def of_pack(folder: Path) -> tuple[catalog.Catalog, set[Path]]:
    """The catalogue with a pack that lies in ``folder`` and need not be installed, and the files of its modules.

    Raises PluginError with every problem, such as a pyproject.toml that names no entry point.
    """
    intact.keep()
    project, modules = _named(folder)
    origin = f"{project.get('name', folder.name)} {project.get('version', '')}".strip()
    packs, _ = _packs()
    others = [p for p in packs if p.origin.rpartition(" ")[0] != project.get("name")]
    tops = {name.partition(".")[0] for name in modules}
    for loaded in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[loaded]  # of another folder, or as it was before its author went on writing
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        own = [_Plugin(origin, _intact(importlib.import_module, name)) for name in modules]
    except (Exception, SystemExit) as error:
        if isinstance(error, PluginError):
            raise
        what = f"it cannot be imported: {type(error).__name__}: {error}"
        raise PluginError(Problem(origin, what, "mend the module")) from error
    finally:
        sys.path.remove(str(folder))
    sources, problems = _definitions([*others, *own])
    if problems:
        raise PluginError(problems)
    files = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] in tops and getattr(m, "__file__", None)]
    return catalog.build(sources), {Path(str(file)).resolve() for file in files}


def _named(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The project table of a pyproject.toml, and the modules that it names for kpibook."""
    where = "pyproject.toml"
    try:
        project = tomllib.loads((folder / where).read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        raise PluginError(Problem(where, f"it cannot be read ({error})", "mend the file")) from error
    named = project.get("entry-points", {}).get(GROUP, {})
    if not named:
        remedy = 'add [project.entry-points.kpibook] with name = "module"'
        raise PluginError(Problem(where, f"it names no entry point of group '{GROUP}'", remedy))
    return project, [str(value).partition(":")[0] for value in named.values()]


def _packs() -> tuple[list[_Plugin], list[Problem]]:
    found = sorted(entry_points(group=GROUP), key=lambda e: (e.name, _distribution(e)))
    _refuse_shared_names(found)
    plugins, broken = [], []
    for entry in found:
        try:
            plugins.append(_Plugin(_distribution(entry), _intact(entry.load)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a broken pack must not stop the others
            what = f"pack '{entry.name}' cannot be loaded: {type(error).__name__}: {error}"
            broken.append(Problem(_distribution(entry), what, "mend or uninstall it"))
    return plugins, broken


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _refuse_shared_names(found: Sequence[EntryPoint]) -> None:
    owners: dict[str, set[str]] = {}
    for entry in found:
        owners.setdefault(entry.name, set()).add(_distribution(entry))
    problems = [
        Problem(" and ".join(sorted(who)), f"both claim the entry point '{name}' of group '{GROUP}'", "uninstall one")
        for name, who in owners.items()
        if len(who) > 1
    ]
    if problems:
        raise PluginError(problems)


def _loose(folder: Path | None) -> tuple[list[_Plugin], list[Problem]]:
    plugins: list[_Plugin] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.py")) if folder else ():
        if path.name.startswith(("_", "test_")):
            continue
        origin = f"{path.parent.name}/{path.name}"
        try:
            plugins.append(_Plugin(origin, _intact(_import, path)))
        except PluginError as error:
            problems += [Problem(f"{origin}: {p.where}", p.what, p.remedy) for p in error.problems]
        except SyntaxError as error:
            problems.append(Problem(f"{origin}:{error.lineno}", f"it is not Python: {error.msg}", "mend this line"))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin's own error, told by its name
            what = f"it cannot be imported: {type(error).__name__}: {error}"
            problems.append(
                Problem(f"{origin}:{_line(error, path)}", what, "mend the file or take it out of the folder")
            )
    return plugins, problems


def _intact(load: Callable[..., ModuleType], *arguments: Any) -> ModuleType:
    module = load(*arguments)
    if replaced := intact.put_back():
        remedy = "write a function of your own, and leave pandas as it is"
        raise PluginError(Problem("import", f"it replaces {', '.join(replaced)}", remedy))
    return module


def _import(path: Path) -> ModuleType:
    name = f"kpibook_loose.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # noqa: S101  a .py path always has a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _line(error: BaseException, path: Path) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _definitions(plugins: Sequence[_Plugin]) -> tuple[list[Source], list[Problem]]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    sources: list[Source] = []
    problems: list[Problem] = []
    for plugin in plugins:
        try:
            manager.register(plugin.module, name=plugin.origin + ": " + plugin.module.__name__)
        except pluggy.PluginValidationError as error:
            what = f"its hook does not fit: {str(error).splitlines()[-1]}"
            problems.append(Problem(plugin.origin, what, f"write: def {HOOK}():"))
            continue
        misspelt = [c.name for c in manager.get_hookcallers(plugin.module) or () if c.name != HOOK]
        if misspelt:
            problems += [Problem(plugin.origin, f"unknown hook '{m}'", f"did you mean '{HOOK}'?") for m in misspelt]
            manager.unregister(plugin.module)
            continue
        implementations = [i for i in getattr(manager.hook, HOOK).get_hookimpls() if i.plugin is plugin.module]
        if not implementations:
            what = f"it offers no KPI: no function marked @hookimpl is named {HOOK}"
            problems.append(Problem(plugin.origin, what, f"add @hookimpl above def {HOOK}()"))
        for implementation in implementations:
            got, wrong = _call(plugin.origin, implementation.function)
            sources += [Source(d, plugin.origin) for d in got]
            problems += wrong
    manager.check_pending()
    return sources, problems


def _call(origin: str, function: Any) -> tuple[list[Definition], list[Problem]]:
    try:
        returned = list(function())
    except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin's own error, told by its name
        what = f"{HOOK}() raised {type(error).__name__}: {error}"
        return [], [Problem(origin, what, "return a list of definitions and compute nothing")]
    return [d for d in returned if isinstance(d, Definition)], list(_strangers(origin, returned))


def _strangers(origin: str, returned: Sequence[Any]) -> Iterator[Problem]:
    for item in returned:
        if not isinstance(item, Definition):
            name = getattr(item, "__name__", repr(item))
            yield Problem(
                origin, f"{HOOK}() returned '{name}', which is no definition", "decorate it with @kpi or @view"
            )
