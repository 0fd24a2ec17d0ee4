"""The lab as tests see it: a child process that holds network namespaces, spoken to in lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

TOOLS = {"ip": "iproute2", "bridge": "iproute2", "iptables-restore": "iptables", "ip6tables-restore": "iptables"}
TOOLS |= {"xtables-monitor": "iptables", "nft": "nftables", "unshare": "util-linux"}
AS_ROOT_OF_ITS_OWN = ["unshare", "--user", "--map-root-user", "--net"]
PATIENCE = 0.95  # seconds; TCP sends its first packet again after one


class Shot(NamedTuple):
    """One connection to try from a namespace; ``source`` "" lets the kernel choose its own address."""

    namespace: str
    proto: str
    source: str
    ip: str
    port: int


class LabError(Exception):
    """The lab could not do what it was told; the message is what the failing program printed."""


@cache
def why_not() -> str:
    """What keeps this machine from running the lab, "" when nothing does."""
    if not sys.platform.startswith("linux"):
        return f"the lab is made of Linux network namespaces, and this is {sys.platform}"
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        return f"{', '.join(missing)} missing: apt-get install -y --no-install-recommends {' '.join(missing)}"
    tried = subprocess.run([*_prefix(), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"not root, and user namespaces are refused here ({tried.stderr.strip()}): run it with sudo"
    try:
        with Lab() as lab:
            lab.build({"namespaces": ["one"], "sysctls": {}, "stages": [[["one", ["nft", "list", "ruleset"], ""]]]})
            path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
            bridge = lab.ask("one", ["cat", path])
    except LabError as error:
        return f"no network namespace can be made here: {error}"
    if bridge["status"]:
        return "br_netfilter is not loaded: sudo modprobe br_netfilter"
    return ""


def _prefix() -> list[str]:
    return [] if os.geteuid() == 0 else AS_ROOT_OF_ITS_OWN


class Lab:
    """A context: the namespaces are gone when it ends, however it ends."""

    def __init__(self) -> None:
        words = [*_prefix(), sys.executable, "-m", "tests.kernel.child"]
        root = Path(__file__).parents[2]
        self._child = subprocess.Popen(words, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the kernel then removes every namespace."""
        for end in (self._child.stdin, self._child.stdout):
            if end is not None:
                end.close()
        self._child.wait(timeout=30)

    def _say(self, **message: Any) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(message) + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise LabError(f"the process of the lab ended with status {self._child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer

    def build(self, plan: dict[str, Any]) -> None:
        """Make what `world.plan` describes. Raises `LabError`."""
        self._say(do="build", plan={"listen": [], **plan})

    def run(self, stage: list[list[Any]]) -> None:
        """Run programs in namespaces at the same time: ``[namespace, words, input]`` each."""
        self._say(do="run", stage=stage)

    def ask(self, namespace: str, words: list[str]) -> dict[str, Any]:
        """Exit ``status`` and ``output`` of one program in a namespace."""
        return self._say(do="ask", name=namespace, words=words)

    def follow(self, namespace: str, words: list[str]) -> None:
        """Start a program that prints what happens in a namespace."""
        self._say(do="follow", name=namespace, words=words)

    def followed(self, namespace: str) -> str:
        """What that program has printed since it was last asked."""
        output: str = self._say(do="followed", name=namespace)["output"]
        return output

    def fire(self, shots: list[Shot], patience: float = PATIENCE) -> list[dict[str, Any]]:
        """Try all at once; ``outcome`` of each, and when answered by whom and what it saw."""
        results: list[dict[str, Any]] = self._say(do="fire", shots=shots, patience=patience)["results"]
        return results

    def capture(self, namespaces: list[str]) -> None:
        """Begin to write down the frames of these namespaces."""
        self._say(do="capture", names=namespaces)

    def captured(self) -> list[dict[str, Any]]:
        """The frames since: namespace, device, direction and bytes as hex."""
        frames: list[dict[str, Any]] = self._say(do="captured")["frames"]
        return frames
