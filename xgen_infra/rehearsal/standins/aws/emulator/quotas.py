"""Gives moto the quotas of further services, and increases that are granted at once.

Defaults: Service Quotas console and AWS General Reference, "Service endpoints and quotas"; of the vCPU quotas what
an account has that has run instances before. A real increase takes hours or days, and never lowers a quota.
"""

from __future__ import annotations

import json
from typing import Any

from moto.servicequotas import models, responses
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.resources.default_quotas.vpc import VPC_DEFAULT_QUOTAS

_DEFAULTS: dict[tuple[str, str], tuple[str, float]] = {
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5),
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 64),
    ("ec2", "L-34B43A08"): ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 64),
    ("eks", "L-1194D53C"): ("Clusters", 100),
    **{
        ("vpc", str(quota["QuotaCode"])): (str(quota["QuotaName"]), float(quota["Value"]))
        for quota in VPC_DEFAULT_QUOTAS
    },
}
_granted: dict[tuple[str, str, str, str], float] = {}
"""By account, region, service and quota."""


def install() -> None:
    """Replace the lookup and add the increase, in this process."""

    def get_service_quota(self: models.ServiceQuotasBackend, service_code: str, quota_code: str) -> Any:
        if (service_code, quota_code) not in _DEFAULTS:
            raise NoSuchResource
        name, value = _DEFAULTS[service_code, quota_code]
        own = (self.account_id, self.region_name, service_code, quota_code)
        return {
            "ServiceCode": service_code,
            "QuotaCode": quota_code,
            "QuotaName": name,
            "Value": _granted.get(own, value),
        }

    def request_service_quota_increase(self: responses.ServiceQuotasResponse) -> str:
        asked = json.loads(self.body)
        service, quota, value = asked["ServiceCode"], asked["QuotaCode"], float(asked["DesiredValue"])
        self.backend.get_service_quota(service, quota)
        _granted[self.current_account, self.region, service, quota] = value
        told = {"ServiceCode": service, "QuotaCode": quota, "DesiredValue": value, "Status": "APPROVED"}
        return json.dumps({"RequestedQuota": told})

    models.ServiceQuotasBackend.get_service_quota = get_service_quota
    responses.ServiceQuotasResponse.request_service_quota_increase = request_service_quota_increase
