"""`make kernel-proof`: the engine's answers about somebody's own cluster beside this machine's kernel.

Exit status 0: all agree; 1: they differ somewhere; 2: it could not be tried.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random

from clusterviz.engine import Cluster
from tests.kernel.fitting import cannot, fit
from tests.kernel.given import GivenError, given
from tests.kernel.judge import Comparison, Question, compare
from tests.kernel.lab import Lab, LabError, why_not
from tests.kernel.listening import called_ports
from tests.kernel.questions import SERVER, some, targets
from tests.kernel.world import plan

KINDS = {
    "pod": "a pod's address",
    "cluster": "ClusterIP",
    "outer": "load balancer or externalIP",
    "node": "node port or host port",
    "other": "closed port, outside, nobody",
}
OUTCOMES = ("answered", "refused", "timed out", "unreachable")
SHOWN = 20
BATCH = 200


def say(*words: str) -> None:
    """One line."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """What `make` passes on."""
    parser = argparse.ArgumentParser(prog="make kernel-proof", description=__doc__)
    parser.add_argument("--cluster", default="demo", help="name of a stored cluster")
    parser.add_argument("--manifests", default="", help="a file or folder of manifests instead")
    parser.add_argument("--probes", type=int, default=600, help="questions to ask (600)")
    parser.add_argument("--pods", type=int, default=60, help="most pods the lab holds (60)")
    parser.add_argument("--nodes", type=int, default=8, help="most nodes the lab holds (8)")
    parser.add_argument("--seed", type=int, default=0, help="draws the questions")
    return parser.parse_args()


def main() -> int:
    """Ask and print."""
    options = arguments()
    if reason := why_not():
        return _refuse(reason)
    try:
        whole = given(options.cluster, options.manifests)
    except GivenError as error:
        return _refuse(str(error))
    if reason := cannot(whole):
        return _refuse(reason)
    cluster, notes = fit(whole, options.pods, options.nodes)
    _head(cluster, notes)
    questions = some(cluster, options.probes, Random(options.seed))
    try:
        found = _prove(cluster, questions)
    except LabError as error:
        return _refuse(f"the lab could not be built: {error}")
    return _table(cluster, found)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"The kernel proof cannot be made here: {reason}\n")
    return 2


def _head(cluster: Cluster, notes: list[str]) -> None:
    settings = cluster.settings
    nodes, pods, services = len(cluster.nodes), len(cluster.pods), len(cluster.services)
    sizes = f"Nodes {nodes}, pods {pods}, Services {services}, NetworkPolicies {len(cluster.policies)}"
    say(f"{sizes}; kube-proxy in {settings.proxy_mode} mode, {settings.network}")
    for note in notes:
        say(f"  {note}")


def _prove(cluster: Cluster, questions: list[Question]) -> list[Comparison]:
    started = time.monotonic()
    with Lab() as lab:
        ports = {question.port for question in questions} | called_ports(cluster)
        lab.build(plan(cluster, ports, SERVER.values()))
        say(f"Built in {time.monotonic() - started:.1f} s")
        found: list[Comparison] = []
        for start in range(0, len(questions), BATCH):
            found += compare(cluster, lab, questions[start : start + BATCH])
    return found


def _table(cluster: Cluster, found: list[Comparison]) -> int:
    kinds = {target: kind for kind, pool in targets(cluster).items() for target in pool}
    rows: dict[tuple[str, str], list[Comparison]] = {}
    for one in found:
        question = one.question
        caller = question.source.partition(":")[0]
        caller = caller if caller in ("pod", "node") else "outside"
        kind = kinds[question.ip, question.port, question.proto]
        rows.setdefault((caller, KINDS[kind]), []).append(one)
    say(f"\n{'from':8} {'to':30} {'asked':>6} {'tries':>6}", *(f"{word:>12}" for word in OUTCOMES), f"{'agree':>7}")
    for (caller, kind), ones in sorted(rows.items()):
        say(f"{caller:8} {kind:30}", _cells(ones))
    say(f"{'all':8} {'':30}", _cells(found))
    faults = [one for one in found if one.fault]
    for one in faults[:SHOWN]:
        say(f"\n{one}")
    if len(faults) > SHOWN:
        say(f"\n... and {len(faults) - SHOWN} more")
    agreed = "agree on every question" if not faults else f"differ on {len(faults)} of {len(found)} questions"
    say(f"\nThe engine and this kernel {agreed}.")
    return 1 if faults else 0


def _cells(ones: list[Comparison]) -> str:
    outcomes = Counter(dict.fromkeys(OUTCOMES, 0))
    for one in ones:
        for way, count in one.observed.items():
            outcomes[way.outcome] += count
    agree = sum(not one.fault for one in ones)
    words = " ".join(f"{outcomes[word]:>12}" for word in OUTCOMES)
    return f"{len(ones):>6} {outcomes.total():>6} {words} {agree:>7}"


if __name__ == "__main__":
    sys.exit(main())
