"""The pages of exams: a cluster with a hidden fault from a seed, repaired as manifests, checked at once.

Nothing is kept: the seed and the difficulty in the address make the same exam again. What is hidden is never sent.
"""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import yaml
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clusterviz.classroom import exam
from clusterviz.classroom.exam import DIFFICULTIES, Difficulty, Exam, Result
from clusterviz.classroom.lesson import Lesson, Obj
from clusterviz.classroom.reading import CLUSTER_LIMITS
from clusterviz.classroom.world import World, WorldError, begin
from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import read

SEEDS = 999_999
# Pods that a single object may ask for: a stranger's manifests are played on the server.
MOST_PODS = 20
COUNTS = ("replicas", "parallelism", "completions", "minReplicas", "maxReplicas")
WORDS = {
    1: gettext_lazy("an easy fault"),
    2: gettext_lazy("a hard fault"),
    3: gettext_lazy("a hard fault and an easy one"),
}


@require_GET
def begin_exam(request: HttpRequest) -> HttpResponse:
    """Choose a seed and how hard it shall be."""
    seed, difficulty = request.GET.get("seed", ""), request.GET.get("difficulty", "1")
    wrong = ""
    if seed:
        if seed.isascii() and seed.isdecimal() and len(seed) <= len(str(SEEDS)) and difficulty in ("1", "2", "3"):
            return redirect("classroom:exam", seed=int(seed), difficulty=int(difficulty))
        wrong = _("seed must be a whole number from 0 to %(most)s, and difficulty 1, 2 or 3") % {"most": SEEDS}
    context = {"difficulties": WORDS.items(), "most": SEEDS, "wrong": wrong}
    return render(request, "classroom/exams.html", context, status=422 if wrong else 200)


def asked(seed: int, difficulty: int) -> Exam:
    """The exam of an address, or Django's 404."""
    if seed > SEEDS or difficulty not in DIFFICULTIES:
        raise Http404(f"There is no exam {seed}/{difficulty}: allowed are seeds to {SEEDS} and difficulties 1, 2, 3.")
    known: dict[int, Difficulty] = {one: one for one in DIFFICULTIES}
    return exam.generate(seed, known[difficulty])


@require_GET
def manifests(_request: HttpRequest, seed: int, difficulty: int) -> HttpResponse:
    """The broken cluster as one file of manifests."""
    text = text_of(asked(seed, difficulty).objects)
    headers = {"Content-Disposition": f'attachment; filename="exam-{seed}-{difficulty}.yaml"'}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


def text_of(objects: list[Obj]) -> str:
    """Objects as YAML documents."""
    return "".join(f"---\n{yaml.safe_dump(obj, sort_keys=False)}" for obj in objects)


@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: HttpRequest, seed: int, difficulty: int) -> HttpResponse:
    """The task with its checks: of the broken cluster, or of the manifests that were handed in."""
    task = asked(seed, difficulty)
    text = text_of(task.objects)
    problems: list[Problem] = []
    results: list[Result] = []
    if request.method == "POST":
        text = handed_in(request)
        try:
            results = exam.grade(world_of(text), task.checks)
        except ManifestError as error:
            problems = error.problems[:20]
        if request.POST.get("as") == "csv" and not problems:
            return as_csv(task, results)
    else:
        results = exam.grade(task.world(), task.checks)
    context = {
        "seed": seed,
        "difficulty": difficulty,
        "words": WORDS[difficulty],
        "text": text,
        "results": results,
        "green": sum(one.green for one in results),
        "problems": problems,
        "handed": request.method == "POST",
    }
    return render(request, "classroom/exam.html", context, status=422 if problems else 200)


def handed_in(request: HttpRequest) -> str:
    """The file that came, else what stands in the field. Raises `RequestDataTooBig`."""
    upload = request.FILES.get("file")
    if upload is None:
        text = request.POST.get("yaml", "")
    elif (upload.size or 0) > CLUSTER_LIMITS.size:
        raise RequestDataTooBig(CLUSTER_LIMITS.size)
    else:
        text = upload.read().decode("utf-8-sig", errors="replace")
    return text


def world_of(text: str) -> World:
    """The cluster of a student's manifests, settled. Raises `ManifestError` with everything that is wrong."""
    objects = [one.object for one in read(text, "manifests", CLUSTER_LIMITS)]
    if not objects:
        raise ManifestError([Problem(message="there is nothing in them: hand in the manifests of the whole cluster")])
    crowded = [
        Problem(
            message=f"spec.{name}: Invalid value: {count}: must be less than or equal to {MOST_PODS} in an exam",
            object=f"{obj['kind']}/{obj['metadata'].get('name', '')}",
        )
        for obj in objects
        for name, count in counts_of(obj)
        if count > MOST_PODS
    ]
    if crowded:
        raise ManifestError(crowded)
    try:
        return begin(Lesson(title="Exam", cluster=objects), objects)
    except WorldError as error:
        raise ManifestError([Problem(message=str(error))]) from None


def counts_of(obj: Obj) -> list[tuple[str, int]]:
    """How many pods an object asks for, by the field that says so; of a CronJob those of its Jobs."""
    spec: Any = obj.get("spec")
    if isinstance(spec, dict) and obj.get("kind") == "CronJob":
        template = spec.get("jobTemplate")
        spec = template.get("spec") if isinstance(template, dict) else None
    found = [(name, spec.get(name)) for name in COUNTS] if isinstance(spec, dict) else []
    return [(name, count) for name, count in found if isinstance(count, int)]


def as_csv(task: Exam, results: list[Result]) -> HttpResponse:
    """One line a check, for the teacher."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(["seed", "difficulty", "check", "result", "reason"])
    for one in results:
        writer.writerow([task.seed, task.difficulty, _(one.text), "ok" if one.green else "FAIL", " ".join(one.wrong)])
    headers = {"Content-Disposition": f'attachment; filename="exam-{task.seed}-{task.difficulty}.csv"'}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
