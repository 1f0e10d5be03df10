"""Puts libnnrt.so.1 into the wheel, and tags the wheel for the platform that library was built for."""

import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = ROOT / "build" / "lib" / "libnnrt.so.1"


def build_library():
    """The built library; builds it first if it is not there."""
    if LIBRARY.exists():
        return LIBRARY
    tool = ROOT / "tools" / "build"
    if not tool.exists():
        raise SystemExit(f"{LIBRARY} is missing, and so is tools/build to make it: install from a checkout of nnrt")
    if shutil.which("swift") is None:
        raise SystemExit(
            f"{LIBRARY} is missing, and there is no Swift to build it with: "
            "run tools/build where Swift 6.3 is installed, or install a wheel"
        )
    subprocess.run([tool, "--library-only"], check=True)
    return LIBRARY


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
            shutil.copy2(build_library(), target / "libnnrt.so.1")


class PlatformWheel(bdist_wheel):
    """Any Python 3, no compiled module, but one platform's library."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


setup(
    version=version(),
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
)
