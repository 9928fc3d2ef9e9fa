"""The dumps of one site."""

from __future__ import annotations

from xgen_infra.k3s.backup import Dumps

DUMPS = Dumps(
    database="xgen",
    user="xgen",
    endpoint="http://object-store.xgen-system.svc.cluster.local:9000",
    bucket="xgen-mart-backups",
    store_secret="object-store-credentials",
    schedule="17 2 * * *",
    keep_days=14,
    image_registry=None,
    generation=1,
)
