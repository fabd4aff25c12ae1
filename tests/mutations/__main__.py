"""Puts small errors into copies of the code, one at a time, and says which of them no test notices.

    make mutations ARGS="WORD …"

A word chooses the errors that have it in their file, their tests or what they are: `retrieval`, `cosine`.
Before the errors of a file its tests run once without any. Ends with status 1 if an error was not noticed
or could not be made.
"""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from edits import Edit, every_edit
from tqdm import tqdm
from trial import Outcome, copy_repository, run_tests, start_server, write_code

_KILLED = {"failed": "killed", "broken": "killed at import", "timeout": "killed by timeout"}
_LEAST_LIMIT = 60.0


def main(words: list[str]) -> int:
    chosen = [edit for edit in every_edit() if not words or any(word in " ".join(edit[:3]) for word in words)]
    if not chosen:
        print(f"no error matches {' '.join(words)}", file=sys.stderr)
        return 1
    verdicts, interrupted = [], False
    try:
        with TemporaryDirectory(prefix="mutations-") as folder:
            for verdict in _verdicts(Path(folder).resolve(), chosen):
                verdicts.append(verdict)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {len(verdicts)} of {len(chosen)} errors", file=sys.stderr)
        interrupted = True
    for file, group in groupby(sorted(verdicts, key=lambda pair: pair[0].file), lambda pair: pair[0].file):
        _print_file(file, list(group))
    all_killed = _print_total(verdicts)
    return 130 if interrupted else 0 if all_killed else 1


def _verdicts(folder: Path, chosen: list[Edit]) -> Iterator[tuple[Edit, str, str]]:
    """Each edit, what became of it, and the test that noticed. Every processor has a copy of its own."""
    copies = SimpleQueue()
    for number in range(len(os.sched_getaffinity(0))):
        copies.put(copy_repository(folder / str(number)))
    start_server()

    def in_a_copy(work, *arguments):
        copy = copies.get()
        try:
            return work(copy, *arguments)
        finally:
            copies.put(copy)

    unedited = cache(lambda tests: in_a_copy(run_tests, tests, 600))
    pool = ThreadPoolExecutor(copies.qsize())
    found = pool.map(lambda edit: in_a_copy(_verdict, edit, unedited(edit.tests)), chosen)
    try:
        with tqdm(
            zip(chosen, found, strict=True), total=len(chosen), unit=" errors", dynamic_ncols=True
        ) as bar:
            for edit, (verdict, by) in bar:
                bar.set_description(edit.file)
                if verdict in ("survived", "not made"):
                    bar.write(f"{verdict}: {edit.file}: {edit.what} {by}")
                yield edit, verdict, by
    finally:
        pool.shutdown(cancel_futures=True)


def _verdict(copy: Path, edit: Edit, unedited: Outcome) -> tuple[str, str]:
    if unedited.ended != "passed":
        return "not made", f"({edit.tests} do not pass without it: {unedited.by or unedited.ended})"
    file = copy / edit.file
    original = file.read_text("utf8")
    if (count := original.count(edit.old)) != 1:
        return "not made", f"(its old text occurs {count} times: {edit.old!r})"
    try:
        write_code(file, original.replace(edit.old, edit.new))
        outcome = run_tests(copy, edit.tests, max(_LEAST_LIMIT, 5 * unedited.seconds))
    finally:
        write_code(file, original)
    if outcome.ended == "passed":
        return ("equivalent", edit.equivalent) if edit.equivalent else ("survived", "")
    if edit.equivalent:
        return "killed, not equivalent", outcome.by
    return _KILLED[outcome.ended], outcome.by


def _print_file(file: str, verdicts: list[tuple[Edit, str, str]]) -> None:
    print(f"\n{file}: {_totals(verdicts)}")
    for edit, verdict, by in verdicts:
        print(f"  {verdict:<18}{edit.what:<56}{by}")


def _print_total(verdicts: list[tuple[Edit, str, str]]) -> bool:
    print(f"\n{len(verdicts)} errors: {_totals(verdicts)}")
    unequal = [verdict for _, verdict, _ in verdicts if verdict != "equivalent"]
    killed = sum(verdict.startswith("killed") for verdict in unequal)
    if unequal:
        print(f"{killed} of {len(unequal)} that are not equivalent were noticed, {killed / len(unequal):.1%}")
    return killed == len(unequal)


def _totals(verdicts: list[tuple[Edit, str, str]]) -> str:
    found = [verdict for _, verdict, _ in verdicts]
    return ", ".join(f"{found.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(found)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
