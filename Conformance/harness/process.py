"""A child process whose stdout is watched line by line and whose output is kept."""

import re
import signal
import subprocess
import threading
import time
from pathlib import Path


class StartFailure(AssertionError):
    """The process ended, or did not say that it listens in time."""


class Process:
    """Started at once. `stdout` and `stderr` are files, so that they outlive a SIGKILL."""

    def __init__(self, arguments, *, directory, environment, logs, name):
        self.name = name
        logs = Path(logs)
        logs.mkdir(parents=True, exist_ok=True)
        number = len(list(logs.glob(f"{name}-*.out")))
        self.stdout = logs / f"{name}-{number}.out"
        self.stderr = logs / f"{name}-{number}.err"
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        with self.stderr.open("wb") as errors:
            self._child = subprocess.Popen(
                [str(argument) for argument in arguments],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.stdout.open("wb") as kept:
            for line in self._child.stdout:
                kept.write(line)
                kept.flush()
                with self._changed:
                    self._lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def pid(self):
        return self._child.pid

    @property
    def is_alive(self):
        return self._child.poll() is None

    def wait_for_line(self, pattern, timeout=30):
        """The match of the first line of stdout that matches; raises `StartFailure`."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                while seen < len(self._lines):
                    match = expression.search(self._lines[seen])
                    if match:
                        return match
                    seen += 1
                remaining = deadline - time.monotonic()
                if self._ended or remaining <= 0:
                    break
                self._changed.wait(remaining)
        reason = f"no line like {pattern!r} within {timeout} s"
        if self._ended:
            reason = f"ended with exit code {self._child.wait()} before it listened"
        raise StartFailure(f"{self.name}: {reason}\n{self.output_tail()}")

    def output(self):
        """Everything written so far, stdout first."""
        return "".join(
            path.read_text(errors="replace") for path in (self.stdout, self.stderr) if path.exists()
        )

    def output_tail(self, characters=3000):
        return self.output()[-characters:]

    def kill(self):
        """SIGKILL; returns when the process is gone."""
        if self.is_alive:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait(10)
        self._reader.join(10)

    def interrupt(self):
        """SIGTERM, without waiting."""
        self._child.send_signal(signal.SIGTERM)

    def wait(self, timeout):
        """The exit code, or `None` when it still runs after `timeout` seconds."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, timeout=15):
        """SIGTERM, then SIGKILL when that does not end it. The exit code."""
        if self.is_alive:
            self.interrupt()
            if self.wait(timeout) is None:
                self.kill()
        self._reader.join(10)
        return self._child.wait()
