"""The dumps of one site."""

from __future__ import annotations

from xgen_infra.k3s.backup import Dumps
from xgen_infra.k3s.workload import Mirror

DUMPS = Dumps(
    database="xgen",
    user="xgen",
    port=5432,
    endpoint="http://object-store.xgen-system.svc.cluster.local:9000",
    bucket="xgen-mart-backups",
    store_secret="object-store-credentials",
    schedule="17 2 * * *",
    keep_days=14,
    mirror=Mirror(),
    generation=1,
)
