"""`make test-dates`: the test suite at moments when days, months and clocks change.

python -m tests.dates [--only WORD] [options and files for pytest]

Debian's `faketime` shifts the wall clock of pytest and of every program and server that tests start. The shift is
computed once per moment and is the same in every process, so that all of them agree on the time.

Under faketime 0.9.10 a wait for a thread never times out (`Lock.acquire(timeout=1)`). Mark a test that needs
one `real_clock`, with the reason.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from shutil import which
from tempfile import TemporaryDirectory

MOMENTS = {
    # A quarter of an hour after Hugging Face opened the list of that day.
    "Saturday": datetime(2026, 12, 5, 2, 45, tzinfo=UTC),
    "Sunday": datetime(2026, 12, 6, 23, 58, tzinfo=UTC),  # weekends end while the suite runs
    "new-year": datetime(2026, 12, 31, 23, 58, tzinfo=UTC),
    "clock-change": datetime(2027, 3, 14, 6, 58, tzinfo=UTC),  # at 7:00 New York skips an hour
    "leap-day": datetime(2028, 2, 29, 12, tzinfo=UTC),
}
"""Times at which the suite starts; it runs for several minutes."""
MISSING = "`make test-dates` needs the program `faketime`. On Debian or Ubuntu: apt-get install faketime"


def run(moment: datetime, options: Sequence[str]) -> int:
    """Run the suite from that moment on. Returns pytest's exit code."""
    shift = round((moment - datetime.now(UTC)).total_seconds())
    words = ("-q", "-n", "auto", "-m", "not real_clock", "-p", "no:cacheprovider")
    # With the monotonic clock left alone, faketime 0.9.10 makes `time.sleep` fail.
    env = {name: value for name, value in os.environ.items() if name != "FAKETIME_DONT_FAKE_MONOTONIC"}
    # In the shared folder, pytest would consider folders of runs on the real clock old, and delete them.
    with TemporaryDirectory(prefix="dates-") as folder:
        # faketime shares its state between processes under a lock; a process that a test kills could die holding it.
        faketime = ("faketime", "-f", f"{shift:+d}s", "env", "-u", "FAKETIME_SHARED")
        pytest = (sys.executable, "-m", "pytest", *words, f"--basetemp={folder}/run", *options)
        return subprocess.run((*faketime, *pytest), env=env, check=False).returncode


def main() -> int:
    """Run the suite at each moment. Returns 1 if a test failed, 2 without faketime."""
    parser = argparse.ArgumentParser(prog="python -m tests.dates", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help=f"one of {', '.join(MOMENTS)}")
    args, options = parser.parse_known_args()
    if which("faketime") is None:
        sys.stderr.write(f"{MISSING}\n")
        return 2
    failed = []
    for name, moment in MOMENTS.items():
        if args.only.lower() in name.lower():
            sys.stdout.write(f"\n== {name}: {moment:%a %d %b %Y %H:%M} UTC\n")
            sys.stdout.flush()
            if run(moment, options) != 0:
                failed.append(name)
    sys.stdout.write(f"\nFailed at: {', '.join(failed) or 'none'}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
