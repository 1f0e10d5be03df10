"""The program nnpack: where it is, and how to run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn, Optional, Sequence

from ._errors import ConversionError

_HERE = Path(__file__).resolve().parent


def nnpack_path() -> str:
    """NNRT_NNPACK if set, else the program inside this package, else the one this checkout has built, else the one on PATH.

    Raises:
        ConversionError: there is none; the message says how to get it.
    """
    chosen = os.environ.get("NNRT_NNPACK")
    if chosen:
        if not _is_program(Path(chosen)):
            raise ConversionError(f"NNRT_NNPACK is {chosen!r}, which is no program")
        return chosen
    candidates = [_HERE / "nnpack"]
    if len(_HERE.parents) > 3:
        candidates.append(_HERE.parents[3] / "build" / "bin" / "nnpack")
    candidates += [Path(folder) / "nnpack" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for candidate in candidates:
        if _is_program(candidate) and not _is_own_script(candidate):
            return str(candidate)
    raise ConversionError(
        "the program nnpack is neither in this package nor on PATH: run tools/build in a checkout of nnrt and install "
        "bindings/python again, which carries it then, or set NNRT_NNPACK to it"
    )


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_own_script(path: Path) -> bool:
    """Whether a file is the script that this package installs, which only looks for the program."""
    with open(path, "rb") as file:
        start = file.read(1024)
    return start.startswith(b"#!") and b"nnrt._nnpack" in start


def run(arguments: Sequence[str]) -> tuple[str, str]:
    """Runs nnpack; gives what it wrote to standard output and to standard error.

    Raises:
        ConversionError: it failed; the message is its own.
    """
    program = nnpack_path()
    environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
    try:
        done = subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
        )
    except OSError as error:
        raise ConversionError(f"{program} cannot be started: {error}") from error
    output, errors = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode != 0:
        raise ConversionError(_reason(program, done.returncode, errors))
    return output, errors


def _reason(program: str, status: int, errors: str) -> str:
    text = errors.strip().removeprefix("nnpack: ")
    if status == 127:
        return f"{program} cannot be started: {text or 'a library that it needs is missing'}"
    if status < 0 or status >= 128:
        return f"{program} died (status {status})" + (f": {text}" if text else "")
    return text or f"{program} failed with status {status}"


def main(arguments: Optional[Sequence[str]] = None) -> NoReturn:
    """The script nnpack: becomes the program."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        program = nnpack_path()
    except ConversionError as error:
        sys.exit(f"nnpack: {error}")
    os.execv(program, [program, *given])
