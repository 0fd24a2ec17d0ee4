"""`manage.py serve`: prepare what is missing, then serve pages, websockets and the simulated life of every cluster."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine, Iterable
from typing import Any

from channels.routing import get_default_application
from daphne.server import Server
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import RequestAborted
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from clusterviz.assets import collect_if_changed
from clusterviz.cluster.management.database import ready_database

logger = logging.getLogger(__name__)

BACKLOG = 2048  # Twisted's 50 makes a class that reconnects all at once wait for seconds
STOP_SECONDS = 5


def not_heard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what a task failed with, but not that its client was gone: at the end, connections close first."""
    if not isinstance(context.get("exception"), RequestAborted):
        loop.default_exception_handler(context)


class ClusterVizServer(Server):
    """Daphne with our life cycle: simulators start with the loop and end before it."""

    failed = ""

    def __init__(self, host: str, port: int, *, simulate: bool) -> None:
        """Listen on one address; `simulate` also runs the clusters in this process."""
        interface = host.replace(":", r"\:")
        super().__init__(
            application=get_default_application(),
            endpoints=[f"tcp:port={port}:interface={interface}:backlog={BACKLOG}"],
            websocket_timeout=-1,  # a dashboard on the wall stays connected for days
            ready_callable=self.begin,
            server_name="clusterviz",
            proxy_forwarded_address_header="X-Real-IP" if settings.BEHIND_PROXY else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if settings.BEHIND_PROXY else None,
        )
        self.simulate = simulate
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Start the simulators as soon as the loop turns, and stop them before it ends."""
        asyncio.get_event_loop().set_exception_handler(not_heard)
        if not self.simulate:
            return
        from clusterviz.live import runner

        reactor.callWhenRunning(self._run, self._start(runner.start()))
        reactor.addSystemEventTrigger("before", "shutdown", lambda: self._run(self._stop(runner.stop())))

    def listen_error(self, failure: Any) -> None:
        """Remember why the port could not be had; the command reports it."""
        self.failed = failure.getErrorMessage()
        self.stop()

    def run(self) -> None:
        """Serve until stopped. No task outlives the loop: one that waits on a queue crashes Python 3.11 at its exit."""
        super().run()
        loop = asyncio.get_event_loop()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(self._settle(left))

    def kill_all_applications(self) -> "Deferred[Any]":
        """Cancel what is still being answered; idle connections, which Daphne trips over, have nothing to cancel."""
        pending = [
            task
            for details in self.connections.values()
            if (task := details.get("application_instance")) and not task.done()
        ]
        for task in pending:
            task.cancel()
        return self._run(self._settle(pending))

    def _run(self, work: Coroutine[Any, Any, None]) -> "Deferred[Any]":
        task = asyncio.get_event_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Deferred.fromFuture(task)

    async def _start(self, starting: Coroutine[Any, Any, None]) -> None:
        try:
            await starting
        except Exception as error:
            logger.exception("The simulators did not start")
            self.failed = f"the simulators did not start: {error}"
            self.stop()

    async def _stop(self, stopping: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await stopping
        except Exception:
            logger.exception("The simulators did not stop cleanly")

    async def _settle(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        await asyncio.gather(*tasks, return_exceptions=True)


class Command(BaseCommand):
    """Serve the dashboard, the admin and the websockets, and simulate every cluster."""

    help = "Serve ClusterViz and simulate its clusters until interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        """PORT in the environment is the default, as `make run PORT=...` sets it."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="default: $PORT or 8000")
        parser.add_argument("--no-simulate", action="store_true", help="serve only; the clusters stand still")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare, say where, serve."""
        host, port = options["host"].strip("[]"), port_number(options["port"])
        claim(host, port)
        try:
            self.prepare()
        except KeyboardInterrupt:
            return
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(self.style.SUCCESS(f"ClusterViz is at http://{shown}:{port}/"))
        self.stdout.write("Stop it with Ctrl-C.")
        self.stdout.flush()
        server = ClusterVizServer(host, port, simulate=not options["no_simulate"])
        server.run()
        if server.failed:
            raise CommandError(f"Cannot serve on {shown}:{port}: {server.failed}")
        self.stdout.write("Stopped.")

    def prepare(self) -> None:
        """Whatever a first start, or a start after an update, needs. Each step does nothing when nothing is to do."""
        ready_database(self.say)
        self.say("Preparing the static files ...", when=collect_if_changed())
        if not apps.get_model("cluster", "Cluster").objects.exists():
            self.say("Loading the demo cluster ...")
            call_command("loaddemo", stdout=self.stdout)
        self.first_user()

    def first_user(self) -> None:
        """On the first run there is nobody yet: make an administrator and show the password this one time."""
        users = get_user_model().objects
        if users.exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        self.stdout.write(self.style.WARNING(f"Sign in as admin with password {password} (shown only now)."))
        self.stdout.write("Change it at /admin/password_change/.")

    def say(self, line: str, *, when: bool = True) -> None:
        """One line of progress, at once."""
        if when:
            self.stdout.write(line)
            self.stdout.flush()


def port_number(text: str) -> int:
    """A TCP port from the command line or the environment."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise CommandError(f"PORT is {text!r}; a port is a number from 1 to 65535.")


def claim(host: str, port: int) -> None:
    """Fail before anything slow when the address cannot be listened on."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port} ({error.strerror}); stop what uses it or choose another port: "
            f"make run PORT={port + 1 if port < 65535 else 8000}"
        ) from error
