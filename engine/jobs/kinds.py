"""Whatever carries out jobs: importing this registers all of it."""

from engine.jobs import webhooks
from engine.mail import jobs as mail
from engine.process import notice_jobs, standing_in
from engine.process.approval import timers
from engine.process.automation import carrying, triggers

__all__ = ["MODULES"]

MODULES = (mail, webhooks, notice_jobs, carrying, triggers, standing_in, timers)
