"""Commands of daily use, in the order a person might type them, and what each must print.

A case is the command, a regular expression for what it prints (standard output and error together), and the exit
code, 0 unless it says otherwise. What asks the server the same with every kubectl is run ``on`` one alone; of those
``logged`` the requests are compared with `requests.txt`. Namespace `shop` is the demo's.
"""

from typing import NamedTuple

WEB = """
apiVersion: v1
kind: Namespace
metadata: {name: lab}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf, namespace: lab}
data: {mode: "one"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: lab, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: lab}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Colour, type: string, jsonPath: .spec.colour}
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {colour: {type: string}, size: {type: integer}}}}
"""
FILES = {
    "web.yaml": WEB,
    "web2.yaml": WEB.replace("nginx:1.27", "nginx:1.28").replace('"one"', '"two"'),
    "typo.yaml": WEB.replace("replicas: 2", "replicaz: 2"),
    "wrong.yaml": WEB.replace("port: 80}", "port: 99999}"),
    "crd.yaml": WIDGETS,
    "widget.yaml": "---\n{apiVersion: example.com/v1, kind: Widget, metadata: {name: blue, namespace: lab}, "
    "spec: {colour: blue, size: 3}}",
    "widget2.yaml": "---\n{apiVersion: example.com/v1, kind: Widget, metadata: {name: blue, namespace: lab}, "
    "spec: {colour: navy, size: 3}}",
    "applied.yaml": "---\n{apiVersion: v1, kind: ConfigMap, meta"
    "data: {name: ssa, namespace: lab}, "
    "data: {a: '1', b: '2'}}",
    "other.yaml": "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: ssa, namespace: lab}, data: {a: '3'}}",
    "budget.yaml": "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: lab}, "
    "spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}",
}


class Case(NamedTuple):
    """One command."""

    command: str
    prints: str = ""
    code: int = 0
    on: str = ""
    logged: bool = False


CASES = (
    Case("version", r"Server Version: .*v1\.\d+"),
    Case("cluster-info", r"is running at"),
    Case("api-versions", r"(?s)apps/v1.*networking\.k8s\.io/v1.*\nv1$", on="27"),
    Case("api-resources", r"deployments +deploy +apps/v1 +true +Deployment"),
    Case("api-resources --namespaced=false -o name", r"(?m)^nodes$", on="32"),
    Case("config current-context", r"^clusterviz-", on="37"),
    Case("auth can-i create pods", r"^yes"),
    Case("get nodes", r"(?s)NAME +STATUS +ROLES +AGE +VERSION\nn1 +Ready"),
    Case("get nodes -o wide", r"INTERNAL-IP.*\n.*192\.168\."),
    Case("get no n1 -o name", r"^node/n1$", on="27"),
    Case("get namespaces", r"shop +Active", logged=True),
    Case("get pods -A", r"NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE"),
    Case("get pods -n shop -o wide", r"NODE +NOMINATED NODE +READINESS GATES"),
    Case("get all -n shop", r"(?s)pod/api-.*service/api .*deployment\.apps/api .*statefulset\.apps/db"),
    Case("get svc,ep,endpointslices -n shop", r"(?s)service/api .*endpointslice\.discovery\.k8s\.io/", on="32"),
    Case("get deploy api -n shop -o yaml", r"(?s)apiVersion: apps/v1.*uid: .*status:"),
    Case("get deploy api -n shop -o json", r'"kind": "Deployment"', on="37"),
    Case("get deploy api -n shop -o jsonpath={.spec.replicas}", r"^\d+$", on="27"),
    Case("get pods -n shop -o custom-columns=N:.metadata.name,IP:.status.podIP", r"(?m)^db-0 +10\.244\."),
    Case("get pods -n shop --sort-by=.metadata.name -l app", r".", on="32"),
    Case("get pods -n shop --field-selector=status.phase=Running", r"db-0", on="37"),
    Case("get pods -n shop --chunk-size=2", r"db-0 +1/1 +Running"),
    Case("get pods -n shop --show-labels", r"LABELS", on="27"),
    Case("get pod none -n shop", r'Error from server \(NotFound\): pods "none" not found', 1),
    Case("get nonsense", r"the server doesn't have a resource type \"nonsense\"", 1, on="32"),
    Case("get --raw /healthz", r"^ok", on="37"),
    Case("get netpol,ingress -A", r"(?s)networkpolicy\.networking\.k8s\.io/.*ingress\.networking\.k8s\.io/", on="27"),
    Case("get events -n shop", r"", on="32"),
    Case("describe node n1", r"(?s)Name: +n1.*Addresses:.*InternalIP: +192\.168\."),
    Case("get ingress -n shop", r"shop\.example\.com +198\.51\.100\.\d+ +80", on="27"),
    Case("get sa,lease -A", r"(?s)shop +serviceaccount/default.*lease\.coordination\.k8s\.io/n1 +n1", on="32"),
    Case("auth whoami", r"Username +editor", on="37"),
    Case("explain ingress --recursive", r"pathType\s+<string>", on="32"),
    Case("logs -n shop deploy/api --since=10s -c server --tail=1 --timestamps", r"", on="37"),
    Case("logs -n shop db-0 -c nope", r"container nope is not valid for pod db-0", 1, on="32"),
    Case("logs -n shop db-0 --previous", r'previous terminated container "postgres" in pod "db-0"', 1, on="27"),
    Case("describe pod db-0 -n shop", r"(?s)Name: +db-0.*Node: +n\d.*IP: +10\.244\.\d+\.\d+.*Events:"),
    Case("describe svc api -n shop", r"(?s)Selector: .*Endpoints: +10\.244\.", on="37"),
    Case(
        "describe deploy api -n shop",
        r"(?s)RollingUpdateStrategy: .*Replicas|Replicas: .*RollingUpdateStrategy",
        on="27",
    ),
    Case("explain deployment.spec.replicas", r"(?i)desired pods"),
    Case("explain pods", r"(?s)KIND: +Pod.*FIELDS"),
    Case("apply -f web.yaml --dry-run=client", r"deployment\.apps/web created \(dry run\)"),
    Case("apply -f web.yaml", r"(?s)namespace/lab created.*deployment\.apps/web created.*service/web created"),
    Case("apply -f web.yaml", r"deployment\.apps/web unchanged"),
    Case("rollout status deploy/web -n lab --timeout=150s", r"successfully rolled out"),
    Case("apply -f typo.yaml", r'unknown field "spec\.replicaz"', 1),
    Case("apply -f wrong.yaml", r"(?s)spec\.ports\[0\]\.port.*99999.*must be between 1 and 65535", 1),
    Case("diff -f web2.yaml", r"nginx:1\.28", 1),
    Case("apply -f web2.yaml", r"(?s)configmap/conf configured.*deployment\.apps/web configured"),
    Case("rollout status deploy/web -n lab --timeout=150s", r"successfully rolled out"),
    Case("rollout history deploy/web -n lab", r"(?s)REVISION.*1.*2"),
    Case("rollout undo deploy/web -n lab", r"rolled back"),
    Case("get deploy web -n lab -o jsonpath={.spec.template.spec.containers[0].image}", r"^nginx:1\.27$"),
    Case("rollout restart deploy/web -n lab", r"restarted"),
    Case("set image deploy/web -n lab web=nginx:1.29", r"image updated"),
    Case("set env deploy/web -n lab MODE=x", r"env updated"),
    Case("wait deploy/web -n lab --for=condition=Available --timeout=150s", r"condition met"),
    Case("scale deploy/web -n lab --replicas=3", r"scaled", logged=True),
    Case("wait deploy/web -n lab --for=jsonpath={.status.readyReplicas}=3 --timeout=150s", r"condition met"),
    Case("scale deploy/web -n lab --current-replicas=7 --replicas=1", r"(?i)expected replicas to be 7", 1),
    Case("label deploy/web -n lab tier=front", r"labeled", logged=True),
    Case("label deploy/web -n lab tier=back", r"already has a value", 1),
    Case("label deploy/web -n lab tier-", r"unlabeled"),
    Case("annotate deploy/web -n lab note=hello", r"annotate"),
    Case("get deploy -n lab -L app", r"(?s)APP.*web", on="32"),
    Case('patch deploy web -n lab -p {"spec":{"minReadySeconds":1}}', r"patched"),
    Case('patch cm conf -n lab --type=merge -p {"data":{"more":"1"}}', r"patched"),
    Case('patch cm conf -n lab --type=json -p [{"op":"remove","path":"/data/more"}]', r"patched"),
    Case(
        'patch cm conf -n lab --type=json -p [{"op":"remove","path":"/data/none"}]', r"(?i)invalid|remove", 1, on="37"
    ),
    Case("create namespace other", r"namespace/other created", logged=True),
    Case("autoscale deploy web -n lab --min=1 --max=3 --cpu-percent=80", r"autoscaled", on="32"),
    Case("get hpa -n lab", r"Deployment/web +cpu: <unknown>/80% +1 +3", on="32"),
    Case("rollout pause deploy/web -n lab", r"paused", on="27"),
    Case("set resources deploy/web -n lab --limits=cpu=200m", r"resource requirements updated", on="27"),
    Case("rollout resume deploy/web -n lab", r"resumed", on="27"),
    Case(
        "create quota q -n lab --hard=pods=10",
        r"(?s)quota/q created.*Warning: ResourceQuota q",
        on="37",
    ),
    Case("describe quota q -n lab", r"pods +0 +10", on="37"),
    Case(
        "create ingress i -n lab --class=nginx --rule=a.example/b=web:80",
        r"ingress\.networking\.k8s\.io/i created",
        on="27",
    ),
    Case("create role r -n lab --verb=get --resource=pods", r"role\.rbac\.authorization\.k8s\.io/r created", on="37"),
    Case("create token default -n lab", r"the address in the kubeconfig is the credential", 1, on="37"),
    Case("create namespace other", r"AlreadyExists", 1),
    Case("create deployment one -n other --image=nginx", r"deployment\.apps/one created"),
    Case("expose deploy one -n other --port=80", r"service/one exposed", logged=True),
    Case("create configmap c -n other --from-literal=a=1", r"created"),
    Case("create secret generic s -n other --from-literal=a=1", r"created", on="27"),
    Case("get secret s -n other -o jsonpath={.data.a}", r"^MQ==$", on="27"),
    Case("create serviceaccount robot -n other", r"created", on="32"),
    Case("create job j -n other --image=busybox", r"created"),
    Case("wait job/j -n other --for=condition=complete --timeout=150s", r"condition met", on="37"),
    Case("logs job/j -n other", r"", on="37"),
    Case("run lone -n other --image=nginx --port=80", r"pod/lone created"),
    Case("wait pod/lone -n other --for=condition=Ready --timeout=150s", r"condition met"),
    Case("logs lone -n other", r""),
    Case("logs -n shop db-0 --tail=3", r"(?:->|<-|--) "),
    Case("debug lone -n other --image=busybox", r"no process runs in a simulated pod", 1, on="37"),
    Case("exec -n shop db-0 -- ls", r"no process runs in a simulated pod", 1),
    Case("port-forward -n shop db-0 8080:80", r"no process listens in a simulated pod", 1),
    Case("top pods -n shop", r"Metrics API not available", 1, on="37"),
    Case("apply --server-side -f applied.yaml --field-manager=one", r"serverside-applied"),
    Case("apply --server-side -f other.yaml --field-manager=two", r'conflict with "one".*: \.data\.a', 1),
    Case("apply --server-side -f other.yaml --field-manager=two --force-conflicts", r"serverside-applied"),
    Case("get cm ssa -n lab -o yaml --show-managed-fields", r"(?s)manager: one.*manager: two"),
    Case("apply -f crd.yaml", r"widgets\.example\.com created"),
    Case("wait --for=condition=established crd/widgets.example.com --timeout=150s", r"condition met"),
    Case("apply -f widget.yaml", r"widget\.example\.com/blue created"),
    Case("apply -f widget2.yaml", r"widget\.example\.com/blue configured", on="37"),
    Case("apply -f widget.yaml", r"widget\.example\.com/blue configured", on="37"),
    Case("get wd -n lab", r"(?s)NAME +COLOUR\nblue +blue"),
    Case("get widgets -A -o yaml", r"size: 3", on="27"),
    Case("delete pod lone -n other --grace-period=0 --force", r"force deleted|deleted"),
    Case("cordon n3", r"cordoned", logged=True),
    Case("get node n3", r"Ready,SchedulingDisabled", on="32"),
    Case("uncordon n3", r"uncordoned"),
    Case("taint node n3 key=value:NoSchedule", r"tainted", on="37"),
    Case("taint node n3 key-", r"untainted", on="37"),
    Case("drain n2 --ignore-daemonsets --delete-emptydir-data --force --timeout=150s", r"(?s)evict.*drained"),
    Case("uncordon n2", r"uncordoned"),
    Case("apply -f budget.yaml", r"poddisruptionbudget\.policy/web created"),
    Case("get pdb -n lab", r"MIN AVAILABLE"),
    Case("delete deploy one -n other", r"deleted"),
    Case("delete cm,secret --all -n other", r"deleted"),
    Case("delete -f web2.yaml --ignore-not-found --timeout=150s", r'namespace "lab" deleted'),
    Case("get pods -n lab", r"(?i)no resources found|Terminating"),
    Case("delete namespace other --timeout=150s", r"deleted"),
    Case("get ns other", r"NotFound", 1),
    Case("events -n shop", r"", on="27"),
)
