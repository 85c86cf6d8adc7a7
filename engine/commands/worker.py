"""`fieldstone worker`: a process that carries out jobs and serves nothing."""

import argparse
import asyncio
import logging
import signal
from contextlib import suppress
from typing import Any

from engine.api.fleet import Fleet
from engine.app import create_app
from engine.cli import DONE, add_common_options
from engine.commands.serve import settings
from engine.config import Config
from engine.jobs.crew import Crew

__all__ = ["add", "run", "work"]


def add(subparsers: Any) -> None:
    text = "carry out jobs: mails, webhooks, schedules and what automations leave for later"
    command = subparsers.add_parser("worker", help=text, description=f"{text}. Several processes share them out.")
    add_common_options(command)
    command.set_defaults(tenant=None)
    command.add_argument("--threads", type=int, default=0, metavar="N", help="jobs at a time; 2 on SQLite, else 4")


def run(args: argparse.Namespace) -> int:
    config = settings(args)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    print(f"working for {args.tenant or 'every tenant'}", flush=True)
    asyncio.run(work(config, args.tenant or "", args.threads))
    return DONE


async def work(config: Config, only: str = "", threads: int = 0) -> None:
    """Until it is told to end; then what is begun is done first."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # where there are no signals
            loop.add_signal_handler(number, ended.set)
    fleet = Fleet(config, create_app)
    crew = Crew(fleet, only=only, threads=threads or config.job_threads)
    crew.start()
    try:
        await ended.wait()
    finally:
        await crew.close()
        await fleet.close()
