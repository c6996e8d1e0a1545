"""Helper processes of the Python journeys: started from the `citizen-wallet` binary, stopped by closing their standard input."""

import pathlib
import subprocess

STOP_SECONDS = 15


class Helper:
    """A process that says `listening ADDRESS` when it is ready and ends when its standard input is closed."""

    def __init__(self, binary, *arguments, log):
        self._log = open(log, "ab")
        self._process = subprocess.Popen(
            [str(binary), *map(str, arguments), "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        for line in self._process.stdout:
            if line.startswith("listening"):
                self.address = line.removeprefix("listening").strip()
                return
        self.stop()
        raise RuntimeError(f"{arguments[:2]} ended before it was ready: {pathlib.Path(log).read_text()[-400:]}")

    def stop(self):
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(binary, *arguments):
    """Runs a command to its end and gives what it printed; any exit code but 0 is an error."""
    done = subprocess.run([str(binary), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[:2]}: exit {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
