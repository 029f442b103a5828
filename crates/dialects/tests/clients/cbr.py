"""huaweicloudsdkcbr, unmodified, against a Strongroom: everything that a user of it needs to
protect a directory, list its backups, restore one and clean up."""

import os
import pathlib
import sys
import time

from huaweicloudsdkcbr.v1 import *
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.region.region import Region

URL = os.environ["CBR_URL"]
PROJECT = os.environ["CBR_PROJECT"]
RESOURCE = os.environ["CBR_RESOURCE"]
DIRECTORY = pathlib.Path(os.environ["CBR_DIRECTORY"])
ACCESS, SECRET = os.environ["CBR_ACCESS_KEY"], os.environ["CBR_SECRET_KEY"]
TURBO = "OS::Sfs::Turbo"


def client(access=ACCESS, secret=SECRET, project=PROJECT):
    credentials = BasicCredentials(access, secret, project)
    return CbrClient.new_builder().with_credentials(credentials).with_endpoint(URL).build()


cbr = client()


def same(found, wanted):
    if found != wanted:
        sys.exit(f"expected {wanted!r}, found {found!r}")


def fails(status, code, call):
    try:
        answer = call()
    except exceptions.ServiceResponseException as error:
        same((error.status_code, error.error_code), (status, code))
        assert error.request_id and error.error_msg, error
        return
    sys.exit(f"expected {status} {code}, found {answer}")


def wait(look, wanted):
    for _ in range(600):
        found = look()
        if found == wanted:
            return
        time.sleep(0.1)
    sys.exit(f"expected {wanted!r} in time, found {found!r}")


def gone(code, call):
    def look():
        try:
            call()
        except exceptions.ServiceResponseException as error:
            return (error.status_code, error.error_code)

    wait(look, (404, code))


def backups(**query):
    return cbr.list_backups(ListBackupsRequest(**query))


def ids(answer):
    return [backup.id for backup in answer.backups]


def check_vault():
    body = VaultCreate(
        name="client",
        description="of the vendor's client",
        billing=BillingCreate(
            consistent_level="crash_consistent", object_type="turbo", protect_type="backup", size=40
        ),
        resources=[ResourceCreate(id=RESOURCE, type=TURBO)],
        tags=[Tag(key="team", value="storage")],
        bind_rules=VaultBindRules(tags=[]),
    )
    made = cbr.create_vault(CreateVaultRequest(VaultCreateReq(body))).vault
    same((made.billing.size, made.billing.status), (40, "available"))
    same([it.id for it in made.resources], [RESOURCE])
    listed = cbr.list_vault(ListVaultRequest(id=[made.id], limit=10, offset=0))
    same((listed.count, [it.name for it in listed.vaults]), (1, ["client"]))
    same(cbr.list_vault(ListVaultRequest(object_type="server")).count, 0)
    change = VaultUpdate(name="renamed", billing=BillingUpdate(size=50), threshold=90)
    cbr.update_vault(UpdateVaultRequest(made.id, VaultUpdateReq(change)))
    shown = cbr.show_vault(ShowVaultRequest(made.id)).vault
    same((shown.name, shown.billing.size, shown.threshold), ("renamed", 50, 90))
    same((shown.tags[0].key, shown.tags[0].value), ("team", "storage"))
    again = [ResourceCreate(id=RESOURCE, type=TURBO)]
    request = AddVaultResourceRequest(made.id, VaultAddResourceReq(again))
    fails(400, "BackupService.6103", lambda: cbr.add_vault_resource(request))
    return made.id


def check_policy(vault):
    pattern = "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=2;BYMINUTE=0"
    definition = PolicyoODCreate(
        max_backups=5, day_backups=3, retention_duration_days=-1, timezone="UTC+08:00"
    )
    body = PolicyCreate(
        name="weekly",
        operation_type="backup",
        operation_definition=definition,
        trigger=PolicyTriggerReq(PolicyTriggerPropertiesReq(pattern=[pattern])),
    )
    made = cbr.create_policy(CreatePolicyRequest(PolicyCreateReq(body))).policy
    same(made.trigger.properties.pattern, [pattern])
    same(made.associated_vaults, None)
    change = VaultAssociate(policy_id=made.id)
    answer = cbr.associate_vault_policy(AssociateVaultPolicyRequest(vault, change))
    same(answer.associate_policy.vault_id, vault)
    shown = cbr.show_policy(ShowPolicyRequest(made.id)).policy
    same([it.vault_id for it in shown.associated_vaults], [vault])
    same((shown.operation_definition.max_backups, shown.operation_definition.day_backups), (5, 3))
    same(cbr.list_policies(ListPoliciesRequest(vault_id=vault)).count, 1)
    off = PolicyUpdate(enabled=False, name="never")
    cbr.update_policy(UpdatePolicyRequest(made.id, PolicyUpdateReq(off)))
    shown = cbr.show_policy(ShowPolicyRequest(made.id)).policy
    same((shown.enabled, shown.name, shown.operation_definition.max_backups), (False, "never", 5))
    change = VaultDissociate(policy_id=made.id)
    cbr.disassociate_vault_policy(DisassociateVaultPolicyRequest(vault, change))
    cbr.delete_policy(DeletePolicyRequest(made.id))
    fails(404, "BackupService.6000", lambda: cbr.show_policy(ShowPolicyRequest(made.id)))


def checkpoint(vault, name):
    parameters = CheckpointParam(
        auto_trigger=False, incremental=True, name=name, description="by hand", resources=[RESOURCE]
    )
    body = VaultBackupReq(VaultBackup(vault_id=vault, parameters=parameters))
    made = cbr.create_checkpoint(CreateCheckpointRequest(body)).checkpoint
    same((made.vault.id, [it.id for it in made.vault.resources]), (vault, [RESOURCE]))
    assert made.status == "protecting", made
    show = lambda: cbr.show_checkpoint(ShowCheckpointRequest(made.id)).checkpoint
    wait(lambda: show().status, "available")
    same([it.protect_status for it in show().vault.resources], ["available"])
    return made.id


def check_backups(vault):
    first = checkpoint(vault, "manualbk_1")
    second = checkpoint(vault, "manualbk_2")
    everything = backups(limit=100, offset=0)
    same((everything.count, everything.limit, everything.offset), (2, 100, 0))
    same([it.name for it in everything.backups], ["manualbk_2", "manualbk_1"])
    newest, oldest = ids(everything)
    for wanted, query in [
        ([newest, oldest], dict(resource_type=TURBO, limit=5, offset=0)),
        ([oldest, newest], dict(sort="created_at:asc,name:desc", status="available")),
        ([oldest], dict(checkpoint_id=first)),
        ([newest], dict(name="manualbk_2", vault_id=vault, resource_id=RESOURCE)),
        ([newest], dict(incremental=True, show_replication=True)),
        ([newest, oldest], dict(start_time="2020-01-01T00:00:00Z")),
        ([], dict(end_time="2020-01-01T00:00:00Z")),
        ([], dict(resource_type="OS::Nova::Server")),
        ([], dict(name="a b/c+中*")),
        ([], dict(status="error")),
    ]:
        answer = backups(**query)
        same((ids(answer), answer.count), (wanted, len(wanted)))
    pages = []
    while page := ids(backups(limit=1, **({"marker": pages[-1]} if pages else {}))):
        pages += page
    same(pages, [newest, oldest])
    past = backups(limit=1, offset=2)
    same((ids(past), past.count), ([], 2))
    fails(400, "BackupService.9900", lambda: backups(limit=0))
    fails(400, "BackupService.9900", lambda: backups(sort="size"))
    shown = cbr.show_backup(ShowBackupRequest(oldest)).backup
    same((shown.status, shown.resource_type, shown.checkpoint_id), ("available", TURBO, first))
    same((shown.extend_info.auto_trigger, shown.incremental), (False, False))
    cbr.update_backup(UpdateBackupRequest(oldest, BackupUpdateReq(BackupUpdate(name="kept"))))
    same(cbr.show_backup(ShowBackupRequest(oldest)).backup.name, "kept")
    fails(404, "BackupService.6200", lambda: cbr.show_backup(ShowBackupRequest("nope")))
    logs = cbr.list_op_logs(ListOpLogsRequest(operation_type="backup", vault_id=vault))
    same((logs.count, {it.status for it in logs.operation_logs}), (2, {"success"}))
    same({it.checkpoint_id for it in logs.operation_logs}, {first, second})
    return oldest


def check_restore(backup):
    file = DIRECTORY / "a.txt"
    before = file.read_bytes()
    file.write_bytes(b"damaged")
    body = BackupRestoreReq(BackupRestore(resource_id=RESOURCE, power_on=True))
    cbr.restore_backup(RestoreBackupRequest(backup, body))
    query = ListOpLogsRequest(operation_type="restore", resource_id=RESOURCE)
    look = lambda: [it.status for it in cbr.list_op_logs(query).operation_logs]
    wait(look, ["success"])
    log = cbr.list_op_logs(query).operation_logs[0]
    shown = cbr.show_op_log(ShowOpLogRequest(log.id)).operation_log
    same((shown.extra_info.common.progress, shown.extra_info.restore.backup_id), (100, backup))
    same(file.read_bytes(), before)


def check_protectables(vault):
    query = ListProtectableRequest(protectable_type="turbo", limit=50)
    found = cbr.list_protectable(query).instances
    same([(it.id, it.protectable.result) for it in found], [(RESOURCE, False)])
    shown = cbr.show_protectable(ShowProtectableRequest(RESOURCE, "turbo")).instance
    same(shown.protectable.vault.id, vault)
    same(cbr.show_summary(ShowSummaryRequest()).size, 50)


def check_credentials():
    wrong = lambda it: it.list_backups(ListBackupsRequest())
    fails(401, "APIGW.0301", lambda: wrong(client(secret=SECRET[::-1])))
    fails(401, "APIGW.0301", lambda: wrong(client(access="AKNOBODY")))
    fails(403, "APIGW.0302", lambda: wrong(client(project="0605767b5780d5762fc5c0118072a564")))
    credentials = BasicCredentials(ACCESS, SECRET).with_iam_endpoint(URL)
    builder = CbrClient.new_builder().with_credentials(credentials)
    by_region = builder.with_region(Region("local-1", URL)).build()
    same(by_region.list_backups(ListBackupsRequest()).count, 2)


def clean_up(vault, backup):
    cbr.delete_backup(DeleteBackupRequest(backup))
    gone("BackupService.6200", lambda: cbr.show_backup(ShowBackupRequest(backup)))
    same(backups().count, 1)
    body = VaultRemoveResourceReq(resource_ids=[RESOURCE])
    cbr.remove_vault_resource(RemoveVaultResourceRequest(vault, body))
    wait(lambda: backups().count, 0)
    cbr.delete_vault(DeleteVaultRequest(vault))
    gone("BackupService.6105", lambda: cbr.show_vault(ShowVaultRequest(vault)))


vault = check_vault()
check_policy(vault)
backup = check_backups(vault)
check_restore(backup)
check_protectables(vault)
check_credentials()
clean_up(vault, backup)
print("all good")
