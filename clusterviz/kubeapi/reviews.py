"""Questions about oneself: `kubectl auth can-i`, `kubectl auth whoami`."""

from __future__ import annotations

from typing import Any

from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.bodies import read_object
from clusterviz.kubeapi.session import Session
from clusterviz.kubeapi.status import not_allowed

READS = ("get", "list", "watch")


def answer(request: Request, session: Session, kind: str) -> Answer:
    """Answer a review; anybody may ask what they may do."""
    if request.method != "POST":
        raise not_allowed()
    body = read_object(request)
    spec = body.get("spec") if isinstance(body.get("spec"), dict) else {}
    assert isinstance(spec, dict)
    version = "authentication.k8s.io/v1" if kind == "SelfSubjectReview" else "authorization.k8s.io/v1"
    found: dict[str, Any] = {"kind": kind, "apiVersion": version, "metadata": {"creationTimestamp": None}}
    if kind == "SelfSubjectReview":
        found["status"] = {"userInfo": {"username": str(session.role), "groups": ["system:authenticated"]}}
    elif kind == "SelfSubjectRulesReview":
        found["spec"], found["status"] = spec, _rules(session)
    else:
        found["spec"], found["status"] = spec, _access(session, spec)
    return Answer(found, 201)


def _access(session: Session, spec: dict[str, Any]) -> dict[str, Any]:
    asked = spec.get("resourceAttributes") or {}
    verb = str(asked.get("verb") or (spec.get("nonResourceAttributes") or {}).get("verb") or "")
    allowed = session.role.may_change or verb in READS
    if asked.get("resource") in ("secrets", "*") and not session.role.may_read_secrets:
        allowed = False
    return {"allowed": allowed, "reason": f"the kubeconfig is for the role {session.role}"}


def _rules(session: Session) -> dict[str, Any]:
    verbs = ["*"] if session.role.may_change else list(READS)
    rules = [{"verbs": verbs, "apiGroups": ["*"], "resources": ["*"]}]
    return {
        "resourceRules": rules,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
        "incomplete": not session.role.may_change,
        "evaluationError": "" if session.role.may_change else "Secrets are left out",
    }
