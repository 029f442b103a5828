"""Plays the calls of a GES user with the vendor's SDK, unmodified, in both versions of the API."""

import os
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkges import v1, v2

PATIENCE = 60
GRAPH = os.environ["GES_GRAPH"]
UNKNOWN = "00000000-0000-4000-8000-00000000ffff"


def client(version, secret=os.environ["GES_SECRET_KEY"]):
    credentials = BasicCredentials(os.environ["GES_ACCESS_KEY"], secret, os.environ["GES_PROJECT"])
    builder = version.GesClient.new_builder().with_credentials(credentials)
    return builder.with_endpoints([os.environ["GES_URL"]]).build()


def finished(show):
    """Asks for a job until it has ended."""
    end = time.monotonic() + PATIENCE
    while (job := show()).status not in ("success", "failed"):
        assert time.monotonic() < end, f"the job is still {job.status}"
        time.sleep(0.1)
    return job


def refused(code, call):
    try:
        answer = call()
    except ClientRequestException as error:
        assert error.error_code == code, f"{error.error_code}: {error.error_msg}"
        assert error.error_msg and not error.error_msg.startswith("{"), error.error_msg
        assert error.request_id, "the answer has no X-Request-Id"
    else:
        raise AssertionError(f"not refused: {answer}")


def version_1():
    ges = client(v1)
    assert ges.list_graphs(v1.ListGraphsRequest()).graphs[0].id == GRAPH
    assert ges.list_backups(v1.ListBackupsRequest(limit=2, offset=0)).backup_count == 0
    made = ges.create_backup(v1.CreateBackupRequest(graph_id=GRAPH))
    job = finished(lambda: ges.show_job(v1.ShowJobRequest(graph_id=GRAPH, job_id=made.job_id)))
    assert (job.status, job.related_graph) == ("success", "people"), job
    listed = ges.list_backups(v1.ListBackupsRequest(limit=2, offset=0))
    assert listed.backup_count == 1
    backup = listed.backup_list[0]
    assert (backup.graph_name, backup.status) == ("people", "success"), backup
    assert backup.end_timestamp >= backup.start_timestamp > 0, backup
    of_graph = ges.list_graph_backups(v1.ListGraphBackupsRequest(graph_id=GRAPH))
    assert of_graph.backup_list == listed.backup_list
    assert ges.list_jobs(v1.ListJobsRequest(status="success", limit="5")).job_count == 1
    refused("GES.7000", lambda: ges.create_backup(v1.CreateBackupRequest(graph_id="g 1/ü")))
    refused("GES.0001", lambda: ges.list_backups(v1.ListBackupsRequest(limit=-5)))
    ges.delete_backup(v1.DeleteBackupRequest(graph_id=GRAPH, backup_id=backup.id))
    assert ges.list_backups(v1.ListBackupsRequest()).backup_list == []


def version_2():
    ges = client(v2)
    assert ges.show_graph2(v2.ShowGraph2Request(graph_id=GRAPH)).graph.name == "people"
    made = ges.create_backup2(v2.CreateBackup2Request(graph_id=GRAPH))
    job = finished(lambda: ges.show_job2(v2.ShowJob2Request(graph_id=GRAPH, job_id=made.job_id)))
    assert job.status == "success", job
    listed = ges.list_backups2(v2.ListBackups2Request(limit=120))
    assert listed.backup_count == 1
    backup = listed.backup_list[0]
    assert (backup.graph_name, backup.status) == ("people", "success"), backup
    of_graph = ges.list_graph_backups2(v2.ListGraphBackups2Request(graph_id=GRAPH))
    assert of_graph.backup_list == listed.backup_list
    unknown = v2.DeleteBackup2Request(graph_id=GRAPH, backup_id=UNKNOWN)
    refused("GES.7024", lambda: ges.delete_backup2(unknown))
    ges.delete_backup2(v2.DeleteBackup2Request(graph_id=GRAPH, backup_id=backup.id))


def tampered():
    for version in (v1, v2):
        request = getattr(version, "ListGraphsRequest", None) or version.ListGraphs2Request
        ges = client(version, "not the secret key")
        call = getattr(ges, "list_graphs", None) or ges.list_graphs2
        refused("APIGW.0301", lambda: call(request()))


version_1()
version_2()
tampered()
print("all good")
