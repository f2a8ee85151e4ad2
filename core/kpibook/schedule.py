"""Several clients at once: each in processes of its own, one that breaks harms no other."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from kpibook.allotment import Allotment, free, need
from kpibook.errors import ParamsError, Problem, RunError
from kpibook.report.run import Listener, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kpibook.params import Params


def run_many(
    params: Sequence[Params],
    jobs: int,
    out: Path,
    on_progress: Listener = lambda _: None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
    proof: bool = True,
    cache: bool = True,
) -> list[Outcome]:
    """Run every client, ``jobs`` at a time, reports of one client one after the other; outcomes in the given order.

    ``on_outcome`` hears of each as it ends, of one at a time. A run waits until there is memory for it beside the
    others. Without ``proof`` each is computed once only. A fault of kpibook in one run is that outcome's ``fault``,
    and the others go on.
    """
    cancel = threading.Event()
    said = clashes(params)
    one_by_one = {p.client: threading.Lock() for p in params}
    room = Allotment(free())

    def one(number: int) -> Outcome:
        each = params[number]
        if number in said:
            return Outcome(each.client, each.period.label, "failed", ParamsError.exit_code, message=said[number])
        with one_by_one[each.client], room.taken(need(each), cancel):
            if cancel.is_set():
                raise KeyboardInterrupt
            return run(each, out, on_progress, cancel, proof, cache)

    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        numbers = {pool.submit(one, number): number for number in range(len(params))}
        outcomes: dict[int, Outcome] = {}
        try:
            for future in as_completed(numbers):
                number = numbers[future]
                outcomes[number] = ended(params[number], future)
                on_outcome(outcomes[number])
        except BaseException:
            cancel.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [outcomes[number] for number in range(len(params))]


def ended(params: Params, future: Future[Outcome]) -> Outcome:
    """Wait for one run; a fault becomes an outcome."""
    fault = future.exception()
    if fault is None:
        return future.result()
    if isinstance(fault, KeyboardInterrupt):
        raise fault
    message = f"a fault of kpibook: {fault!r}"
    return Outcome(params.client, params.period.label, "failed", RunError.exit_code, message=message, fault=fault)


def clashes(params: Sequence[Params]) -> dict[int, str]:
    """Positions of params files that would write the same report, with what to say of each."""
    places = [f"{p.client}/{p.period.label}" for p in params]
    said = {}
    for n, place in enumerate(places):
        others = [p.path.name for m, p in enumerate(params) if places[m] == place and m != n]
        if others:
            what = f"would write the same report {place} as {', '.join(others)}"
            said[n] = str(Problem(params[n].path.name, what, "give one of them another client or period"))
    return said
