"""Puts libnnrt.so.1 and nnpack into the wheel, and tags the wheel for the platform that they were built for."""

import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = ROOT / "build" / "lib" / "libnnrt.so.1"
PROGRAM = ROOT / "build" / "bin" / "nnpack"


def build():
    """Builds the library and nnpack if they are not there. Without Swift, nnpack may stay away."""
    tool = ROOT / "tools" / "build"
    if LIBRARY.exists() and (PROGRAM.exists() or not tool.exists() or shutil.which("swift") is None):
        return
    if not tool.exists():
        raise SystemExit(f"{LIBRARY} is missing, and so is tools/build to make it: install from a checkout of nnrt")
    if shutil.which("swift") is None:
        raise SystemExit(
            f"{LIBRARY} is missing, and there is no Swift to build it with: "
            "run tools/build where Swift 6.3 is installed, or install a wheel"
        )
    subprocess.run([tool], check=True)


def version():
    header = (ROOT / "include" / "nnrt.h").read_text()
    return ".".join(re.findall(r"^#define NNRT_VERSION_\w+ (\d+)$", header, re.MULTILINE))


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        # An editable install finds the library in the checkout's build folder.
        if not getattr(self, "editable_mode", False):
            target = Path(self.build_lib) / "nnrt"
            target.mkdir(parents=True, exist_ok=True)
            build()
            shutil.copy2(LIBRARY, target / "libnnrt.so.1")
            if PROGRAM.exists():
                shutil.copy2(PROGRAM, target / "nnpack")
                if shutil.which("strip"):
                    subprocess.run(["strip", target / "nnpack"], check=True)


# For any CPython from 3.9 on. Where it cannot be built or loaded, the package does without.
CALLER = Extension("nnrt._caller", ["src/caller.c"], py_limited_api=True, optional=True)


class PlatformWheel(bdist_wheel):
    """Any Python 3, which no module has to be compiled for, but one platform's library."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


setup(
    version=version(),
    distclass=PlatformDistribution,
    ext_modules=[CALLER],
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
)
