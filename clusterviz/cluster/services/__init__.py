"""The one write path. Nothing else writes clusters or their objects.

`apply_objects`, `delete_objects`, `act`, `create_cluster` are wishes: one validation, one
transaction, one line in the journal an object. `checkpoint` is for the simulator alone. Listen to
the signal ``changed`` to hear of wishes once they are committed.
"""

from clusterviz.cluster.services.actions import ACTIONS, act
from clusterviz.cluster.services.apply import apply_objects
from clusterviz.cluster.services.asking import ask_documents
from clusterviz.cluster.services.checkpoint import checkpoint
from clusterviz.cluster.services.cluster_settings import change_settings, described, settings_problems
from clusterviz.cluster.services.delete import delete_cluster, delete_objects
from clusterviz.cluster.services.errors import Entry, Invalid, Summary
from clusterviz.cluster.services.exporting import export_pieces, export_yaml
from clusterviz.cluster.services.forking import drop_fork, fork_cluster, keep_fork
from clusterviz.cluster.services.generated import create_generated
from clusterviz.cluster.services.importing import create_for, import_documents, import_files, read_files
from clusterviz.cluster.services.journal import changed
from clusterviz.cluster.services.scaffold import create_cluster, save_cluster

__all__ = [
    "ACTIONS",
    "Entry",
    "Invalid",
    "Summary",
    "act",
    "apply_objects",
    "ask_documents",
    "change_settings",
    "changed",
    "checkpoint",
    "create_cluster",
    "create_for",
    "create_generated",
    "delete_cluster",
    "delete_objects",
    "described",
    "drop_fork",
    "export_pieces",
    "export_yaml",
    "fork_cluster",
    "import_documents",
    "import_files",
    "keep_fork",
    "read_files",
    "save_cluster",
    "settings_problems",
]
