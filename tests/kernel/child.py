"""The process that holds the lab: namespaces, servers and clients. It imports nothing of the program.

It lives in a network namespace of its own from its first line on, keeps every other one as an open
file, and goes with all of them. One JSON document a line comes in, one goes out.
"""

import ctypes
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.kernel.sockets import Switchboard
from tests.kernel.wires import Watch

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
# Seconds a program needs to begin; and of silence after which it has printed all.
STARTING, QUIET = 0.3, 0.1
LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """Run a C function that answers 0 when all is well."""
    if function(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent():
    """In a program about to start: it must not outlive the lab, nor keep its namespaces."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Lab:
    """Namespaces by name, each an inheritable file descriptor."""

    def __init__(self):
        call(LIBC.unshare, CLONE_NEWNET)
        self.files = {}
        self.board = Switchboard()
        self.watch = Watch()
        self.followers = {}

    def enter(self, name):
        """Let this process, and what it starts, act in the namespace."""
        call(LIBC.setns, self.files[name], CLONE_NEWNET)

    def build(self, plan):
        """Make the namespaces and all that is in them, in the order of the plan."""
        for name in plan["namespaces"]:
            call(LIBC.unshare, CLONE_NEWNET)
            self.files[name] = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            os.set_inheritable(self.files[name], True)
            self._sysctls(plan["sysctls"].get(name, {}))
        for stage in plan["stages"]:
            self.run(stage)
        for name, place, proto, ip, port in plan["listen"]:
            self.enter(name)
            self.board.listen(place, proto, ip, port)
        return {}

    def _sysctls(self, wanted):
        for key, value in wanted.items():
            path = Path("/proc/sys") / key
            if not path.exists():
                continue
            try:
                path.write_text(value)
            except PermissionError:
                if path.read_text().split() != value.split():
                    raise

    def run(self, stage):
        """Run programs at the same time, ``[namespace, words, input]`` each; all must succeed."""
        started = []
        for name, words, given in stage:
            self.enter(name)
            text = given
            for other in re.findall(r"<(.+?)>", given):
                text = text.replace(f"<{other}>", f"/proc/self/fd/{self.files[other]}")
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                close_fds=False,
                text=True,
            )
            started.append((name, words, text, process))
            process.stdin.write(text)
            process.stdin.close()
            process.stdin = None
        for name, words, text, process in started:
            said, _ = process.communicate()
            if process.returncode:
                raise RuntimeError(f"{' '.join(words)} in {name}: {said.strip()}\n{text}")
        return {}

    def ask(self, name, words):
        """Run one program in a namespace and give back what it prints."""
        self.enter(name)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return {"status": done.returncode, "output": done.stdout + done.stderr}

    def follow(self, name, words):
        """Start a program in a namespace that prints what happens, for `followed` to ask."""
        self.enter(name)
        self.followers[name] = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        os.set_blocking(self.followers[name].stdout.fileno(), False)
        time.sleep(STARTING)
        return {}

    def followed(self, name):
        """What the program has printed since it was last asked; it goes on."""
        pipe, output = self.followers[name].stdout, b""
        while select.select([pipe], [], [], QUIET)[0] and (more := pipe.read()):
            output += more
        return {"output": output.decode()}

    def fire(self, shots, patience):
        """Open all connections at once and tell what became of each, in order."""
        order = sorted(range(len(shots)), key=lambda index: shots[index][0])
        current = None
        for index in order:
            name, proto, source, ip, port = shots[index]
            if name != current:
                self.enter(name)
                current = name
            self.board.open(index, proto, source, ip, port, patience)
        return {"results": self.board.finish(len(shots))}

    def capture(self, names):
        """Begin to write down every frame of these namespaces."""
        for name in names:
            self.enter(name)
            self.watch.open(name)
        return {}

    def captured(self):
        """The frames seen since, oldest first."""
        return {"frames": self.watch.read()}


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lab = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            lab = lab or Lab()
            answer = getattr(lab, message.pop("do"))(**message)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told to the parent, which raises it
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
