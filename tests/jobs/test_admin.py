from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.cli import main
from engine.jobs import store
from engine.jobs.handlers import GivenUp, Job, inside
from engine.jobs.port import enqueue
from engine.store.database import Connection
from engine.testing import Running
from tests.jobs.conftest import NOW

MISSING = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def parked(site: Running) -> str:
    """The id of a job that failed for good, and will not the next time."""
    tried: list[str] = []

    @inside("fragile")
    def fragile(job: Job, connection: Connection) -> None:
        tried.append(job.id)
        if len(tried) == 1:
            raise GivenUp("the other side is gone")

    site.user("boss", "admin")
    site.user("ray", "reader")
    with site.tenant.database.write() as connection:
        made = enqueue(connection, "fragile", {"password": "hidden"}, now=NOW)
    site.work()
    assert made is not None
    return made


def jobs(site: Running, query: str = "") -> list[dict[str, Any]]:
    answer = site.client("boss").get(f"/api/v1/jobs{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["jobs"]
    return found


def audited(site: Running) -> list[tuple[str, Any]]:
    entries = site.client("boss").get("/api/v1/audit").json()["entries"]
    return [(one["kind"], one["details"]["job"]) for one in entries if one["kind"].startswith("job.")]


def test_a_parked_job_is_listed_without_its_payload(site: Running, parked: str) -> None:
    [found] = jobs(site, "?state=parked")
    assert found == {
        "id": parked, "kind": "fragile", "key": None, "state": "parked", "due_at": "2026-11-22T02:15:00.000Z",
        "tries": 1, "error": "the other side is gone", "created_at": "2026-11-22T02:15:00.000Z", "by": None,
        "done_at": None,
    }  # fmt: skip
    assert jobs(site, "?state=done") == []


def test_a_parked_job_is_replayed_and_audited(site: Running, parked: str) -> None:
    assert site.client("boss").post(f"/api/v1/jobs/{parked}/replay").status_code == 204
    assert site.work() == 1
    [found] = jobs(site)
    assert (found["state"], found["tries"], found["error"]) == ("done", 1, None)
    assert audited(site) == [("job.replayed", parked)]
    answer = site.client("boss").post(f"/api/v1/jobs/{parked}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "job.state")


def test_a_parked_job_is_discarded_and_audited_and_may_be_replayed_after_all(site: Running, parked: str) -> None:
    assert site.client("boss").post(f"/api/v1/jobs/{parked}/discard").status_code == 204
    assert site.work(NOW + timedelta(days=1)) == 0
    assert [one["state"] for one in jobs(site)] == ["discarded"]
    assert site.client("boss").post(f"/api/v1/jobs/{parked}/replay").status_code == 204
    assert site.work() == 1
    assert audited(site) == [("job.replayed", parked), ("job.discarded", parked)]


def test_only_who_looks_after_processes_sees_or_changes_jobs(site: Running, parked: str) -> None:
    client = site.client("ray")
    asked = [client.get("/api/v1/jobs"), client.post(f"/api/v1/jobs/{parked}/replay"),
             client.post(f"/api/v1/jobs/{parked}/discard")]  # fmt: skip
    assert [(one.status_code, one.json()["code"]) for one in asked] == [(403, "processes.manage")] * 3
    assert [one["state"] for one in jobs(site)] == ["parked"]


def test_a_job_that_is_being_done_is_left_to_its_worker(site: Running, parked: str) -> None:
    client = site.client("boss")
    client.post(f"/api/v1/jobs/{parked}/replay")
    with site.tenant.database.write() as connection:
        assert store.lease(connection, "w", NOW, 8) is not None
    answer = client.post(f"/api/v1/jobs/{parked}/discard")
    assert (answer.status_code, answer.json()["code"]) == (409, "job.state")


@pytest.mark.parametrize("name", [MISSING, "nonsense"])
def test_a_job_that_is_none(site: Running, parked: str, name: str) -> None:
    assert site.client("boss").post(f"/api/v1/jobs/{name}/replay").status_code == 404


def test_the_list_is_read_piece_by_piece(site: Running, parked: str) -> None:
    with site.tenant.database.write() as connection:
        more = [enqueue(connection, "other", {}, now=NOW + timedelta(seconds=number)) for number in range(3)]
    client, cursor, seen = site.client("boss"), "", []
    for _ in range(2):
        answer = client.get(f"/api/v1/jobs?limit=2{cursor}").json()
        seen.append([one["id"] for one in answer["jobs"]])
        cursor = f"&cursor={answer['next']}"
    assert seen == [[more[2], more[1]], [more[0], parked]]
    assert answer["next"] is None
    assert client.get("/api/v1/jobs?state=lost").status_code == 400


def test_the_numbers_tell_of_jobs(site: Running, parked: str) -> None:
    with site.tenant.database.write() as connection:
        enqueue(connection, "other", {}, now=NOW + timedelta(days=1))
    text = site.client().get("/metrics").text
    assert 'fieldstone_jobs{state="parked"} 1' in text
    assert 'fieldstone_jobs{state="waiting"} 1' in text
    assert 'fieldstone_jobs{state="leased"} 0' in text


def test_the_command_lists_replays_and_discards(site: Running, parked: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--database", site.config.database_url, "--data", str(site.folder)]
    assert main(["jobs", "list", *common]) == 0
    assert f"{parked}  parked    fragile" in capsys.readouterr().out
    assert main(["jobs", "replay", parked, MISSING, *common]) == 1  # one of them is none: nothing is done
    assert [one["state"] for one in jobs(site)] == ["parked"]
    assert main(["jobs", "discard", parked, *common]) == 0
    assert main(["jobs", "replay", parked, *common]) == 0
    assert site.work(datetime.now(UTC)) == 1
    capsys.readouterr()
    assert main(["jobs", "list", *common]) == 0
    assert capsys.readouterr().out == "none\n"
