"""Documents and databases."""

from __future__ import annotations

from xgen_infra.runbook.checks import outside, platform, workloads
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import Check, Command, Step, Theme, on_eks, on_k3s, run_by

_HOSTS = Check(
    "The services are told the hosts that this page names.",
    workloads.hosts,
    "{{ kubectl }} --namespace {{ namespace }} get configmap xgen-core-env --output yaml",
)

MOVED = Step(
    id="database-moved",
    title="A database has moved",
    when=(
        "PostgreSQL (now `{{ hosts.postgres }}`), Redis (`{{ hosts.redis }}`) or Qdrant (`{{ hosts.qdrant }}`) got "
        "another address."
    ),
    commands=(
        Command(
            "infra:\n  postgres: {host: new-host.example}",
            "in Pulumi.{{ stack }}.yaml, below xgen-infra:site; `redis` and `qdrant` likewise",
            language="yaml",
        ),
        Command("xgen check {{ stack }}", "whether the file is right"),
        Command("pulumi preview --stack {{ stack }} --diff", "nothing is to be deleted or replaced"),
        Command("pulumi up --stack {{ stack }}", "tells the services"),
        Command("xgen wait {{ stack }}", "ends when all six are well"),
    ),
    expect=(
        "Updates of the {% if argocd %}Applications{% else %}releases{% endif %} alone; the pods are rolled and connect "
        "to the new host. {% if kind == 'eks' and cluster.management %}An address outside {{ cluster.management.cidr }} also needs a "
        "way there: `management.cidr`, routes and security groups.{% endif %}"
    ),
    check=_HOSTS,
)

DOCUMENT_EKS = Step(
    id="restore-a-document",
    title="Restore a deleted document",
    when=(
        "A document was deleted or overwritten less than {{ cluster.bucketNoncurrentDays }} days ago: the bucket "
        "`{{ bucket }}` keeps former versions that long."
    ),
    commands=(
        Command(
            "aws s3api list-object-versions --region {{ cluster.region }} --bucket {{ bucket }} --prefix 'KEY'",
            "its versions, and the delete marker that hides them",
        ),
        Command(
            "aws s3api delete-object --region {{ cluster.region }} --bucket {{ bucket }} --key 'KEY' "
            "--version-id DELETE-MARKER-ID",
            "deleted: take the marker away, and the last version shows again",
        ),
        Command(
            "aws s3api copy-object --region {{ cluster.region }} --bucket {{ bucket }} --key 'KEY' "
            "--copy-source '{{ bucket }}/KEY?versionId=VERSION-ID'",
            "overwritten: put a former version on top (KEY of the source URL-encoded)",
        ),
        Command(
            "aws s3api head-object --region {{ cluster.region }} --bucket {{ bucket }} --key 'KEY'",
            "that it is there again",
        ),
    ),
    expect="The last command shows length and date of the document. The service needs no restart.",
    check=Check(
        "The bucket keeps versions.",
        outside.bucket_versioned,
        "aws s3api get-bucket-versioning --region {{ cluster.region }} --bucket {{ bucket }}",
    ),
    applies=on_eks,
    caution="`delete-object` with the id of a version, not of the marker, removes that version for good.",
)


def _own_store(facts: Facts) -> bool:
    return on_k3s(facts) and run_by(facts, "object-store") == "stack"


def _other_store(facts: Facts) -> bool:
    return on_k3s(facts) and not _own_store(facts)


DOCUMENT_K3S = Step(
    id="restore-a-document",
    title="Restore a deleted document",
    when=(
        "A document in `{{ bucket }}` was deleted or overwritten. The store in the cluster keeps no former versions: it "
        "comes back from the backup of the volume."
    ),
    commands=(
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} get pvc",
            "the volume of the object store, by its claim; its backup is the storage's business",
        ),
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} port-forward service/object-store 9000:9000",
            "keep it running: the store at http://localhost:9000",
        ),
        Command(
            "AWS_ACCESS_KEY_ID=$({{ kubectl }} --namespace {{ namespace }} get secret {{ secretName }} "
            "--output jsonpath='{.data.MINIO_DATA_ACCESS_KEY}' | base64 --decode) \\\n"
            "AWS_SECRET_ACCESS_KEY=$({{ kubectl }} --namespace {{ namespace }} get secret {{ secretName }} "
            "--output jsonpath='{.data.MINIO_DATA_SECRET_KEY}' | base64 --decode) \\\n"
            "aws --endpoint-url http://localhost:9000 s3 cp FILE 's3://{{ bucket }}/KEY'",
            "in another shell: puts the file from the backup back under its key",
        ),
    ),
    expect="`upload: FILE to s3://{{ bucket }}/KEY`. The service needs no restart.",
    check=Check(
        "The store runs, and its volume is bound.",
        platform.store_ready,
        "{{ kubectl }} --namespace {{ cluster.dataNamespace }} get pods,pvc",
    ),
    applies=_own_store,
)

DOCUMENT_ELSEWHERE = Step(
    id="restore-a-document",
    title="Restore a deleted document",
    when="A document in `{{ bucket }}` was deleted or overwritten. The store is not this stack's.",
    commands=(
        Command(
            "{{ kubectl }} --namespace {{ namespace }} get configmap xgen-documents-env "
            "--output jsonpath='{.data.MINIO_ENDPOINT}'",
            "where the documents are; the owner of that store restores them",
        ),
    ),
    expect="`{{ objectStoreEndpoint }}`. Ask its owner for the key, the bucket `{{ bucket }}` and a time before the loss.",
    check=_HOSTS,
    applies=_other_store,
)


def _dumped(facts: Facts) -> bool:
    return on_k3s(facts) and run_by(facts, "postgres") == "stack" and bool(facts.get("cluster", "backups"))


def _not_dumped(facts: Facts) -> bool:
    return not _dumped(facts)


RESTORE_K3S = Step(
    id="restore-a-database",
    title="Restore the database",
    when=(
        "Data in PostgreSQL is lost or wrong. Dumps are made at `{{ cluster.backups.schedule }}` (cron) and kept for "
        "{{ cluster.backups.keepDays }} days in the bucket `{{ cluster.backups.bucket }}`."
    ),
    commands=(
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} create job restore-1 "
            "--from=cronjob/postgres-restore",
            "the newest dump",
        ),
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} create job restore-1 --from=cronjob/postgres-restore "
            "--dry-run=client --output json \\\n  | kubectl set env --local -f - BACKUP=DUMP-NAME --containers=fetch "
            "--output json \\\n  | {{ kubectl }} apply -f -",
            "another one, by its name, in place of the first",
        ),
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} wait --for=condition=complete --timeout=60m "
            "job/restore-1",
            "ends when the dump is loaded and the names are exchanged",
        ),
        Command(
            "{{ kubectl }} --namespace {{ cluster.dataNamespace }} logs job/restore-1 --all-containers",
            "the dumps there are, and the name of the former database",
        ),
    ),
    expect=(
        "`job.batch/restore-1 condition met`; the services connect again by themselves. The former database stays "
        "under the name that the log ends with: drop it when all is well. A restore that fails changes nothing."
    ),
    check=Check(
        "Dump and restore are set up, and the last dump that was due succeeded.",
        platform.dumps,
        "{{ kubectl }} --namespace {{ cluster.dataNamespace }} get cronjobs,jobs",
    ),
    applies=_dumped,
)

RESTORE_ELSEWHERE = Step(
    id="restore-a-database",
    title="Restore the database",
    when=(
        "Data in PostgreSQL at `{{ hosts.postgres }}` is lost or wrong. That server is not this stack's: its owner has "
        "the dumps. All commands run where they are."
    ),
    commands=(
        Command(
            "createdb --host {{ hosts.postgres }} --port {{ endpoints.postgres.port }} --username postgres "
            "--owner {{ endpoints.postgres.user }} {{ endpoints.postgres.database }}_restored",
            "beside the one in use, which stays as it is",
        ),
        Command(
            "pg_restore --host {{ hosts.postgres }} --port {{ endpoints.postgres.port }} --username postgres "
            "--no-owner --role {{ endpoints.postgres.user }} --exit-on-error "
            "--dbname {{ endpoints.postgres.database }}_restored DUMP-FILE",
            "a dump in the custom format, as pg_dump --format=custom makes it",
        ),
        Command(
            "ALTER DATABASE {{ endpoints.postgres.database }} ALLOW_CONNECTIONS false;\n"
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity\n"
            "  WHERE datname = '{{ endpoints.postgres.database }}';\n"
            "BEGIN;\n"
            "ALTER DATABASE {{ endpoints.postgres.database }} RENAME TO {{ endpoints.postgres.database }}_before;\n"
            "ALTER DATABASE {{ endpoints.postgres.database }}_restored RENAME TO {{ endpoints.postgres.database }};\n"
            "COMMIT;",
            "only when the restore succeeded: exchange the two, in psql as a superuser",
            language="sql",
        ),
    ),
    expect=(
        "`COMMIT`. The services connect again by themselves. `{{ endpoints.postgres.database }}_before` holds what was "
        "there: drop it when all is well."
    ),
    check=_HOSTS,
    applies=_not_dumped,
)

THEME = Theme(
    "data",
    "Documents and databases",
    (MOVED, DOCUMENT_EKS, DOCUMENT_K3S, DOCUMENT_ELSEWHERE, RESTORE_K3S, RESTORE_ELSEWHERE),
)
