"""How people reach a site: what each kind of cluster can do, and which host belongs to which service."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra import naming
from xgen_infra.findings import KeyPath
from xgen_infra.rules.violation import Violation
from xgen_infra.site import Site

_CLUSTER = (("cluster", "kind"), ("exposure",))


def exposure_fits_the_cluster(site: Site) -> Iterator[Violation]:
    """Yield certificates of the other kind of cluster, and settings that would be ignored."""
    exposure = site.exposure
    if site.eks:
        if exposure.tls_secret:
            mend = "write certificateArn with a certificate of ACM"
            yield Violation(
                ("exposure", "tlsSecret"), f"'{exposure.tls_secret}'", "none on EKS", mend, also=_CLUSTER
            )
        arn = exposure.certificate_arn
        if arn and arn.split(":")[3] != site.eks.region:
            expected = f"a certificate of {site.eks.region}, where the load balancer is"
            yield Violation(
                ("exposure", "certificateArn"), f"one of {arn.split(':')[3]}", expected, also=_CLUSTER
            )
    else:
        if exposure.certificate_arn:
            mend = "write tlsSecret with the name of a Secret"
            found = "a certificate of AWS"
            yield Violation(("exposure", "certificateArn"), found, "none on K3s", mend, also=_CLUSTER)
        if exposure.allow_from:
            mend = "K3s' Ingress does not know the client's address: use the firewall before it"
            yield Violation(("exposure", "allowFrom"), "a list", "none on K3s", mend, also=_CLUSTER)
        if (
            exposure.kind != "none"
            and not exposure.domain
            and any(s.has_domain and not s.host for s in site.specs)
        ):
            mend = "write exposure.domain, under which people open the platform"
            yield Violation(("exposure", "domain"), "nothing", "a host name", mend, also=_CLUSTER)


def the_internet_gets_https(site: Site) -> Iterator[Violation]:
    """Yield a warning where passwords would cross the internet in plain text."""
    exposure = site.exposure
    if exposure.kind == "public" and not (exposure.certificate_arn or exposure.tls_secret):
        key = "certificateArn" if site.eks else "tlsSecret"
        mend = "without it the platform speaks plain HTTP over the internet"
        yield Violation(("exposure", key), "nothing", "a certificate", mend, "warning", also=_CLUSTER)


def existing_vpc_has_what_it_needs(site: Site) -> Iterator[Violation]:
    """Yield subnets and route tables that an existing VPC must name for the load balancer and the peering."""
    vpc = site.eks.vpc if site.eks else None
    if vpc is None:
        return
    if site.exposure.kind == "public" and len(vpc.public_subnet_ids) < 2:  # noqa: PLR2004
        mend = "a load balancer on the internet needs them"
        found, expected = "fewer than two public subnets", "two or more, in two availability zones"
        path: KeyPath = ("cluster", "vpc", "publicSubnetIds")
        yield Violation(path, found, expected, mend, also=(("exposure", "kind"),))
    if site.management and not vpc.private_route_table_ids:
        mend = "the peering's routes go there: without them no pod reaches the management server"
        path = ("cluster", "vpc", "privateRouteTableIds")
        yield Violation(path, "none", "the private subnets' route tables", mend, also=(("management",),))


def hosts_are_names(site: Site) -> Iterator[Violation]:
    """Yield addresses where an Ingress takes names only (Kubernetes API, IngressRule)."""
    places: list[tuple[KeyPath, str | None]] = [(("exposure", "domain"), site.exposure.domain)]
    places += [(("services", spec.service.name, "host"), spec.host) for spec in site.specs]
    for path, host in places:
        if host and host.replace(".", "").isdigit():
            yield Violation(path, f"'{host}'", "a host name", "an Ingress takes no addresses")


def hosts_belong_to_one_service(site: Site) -> Iterator[Violation]:
    """Yield hosts that no Ingress carries, and two services that would answer the same host and path."""
    taken: dict[tuple[str, str], str] = {}
    exposed = site.exposure.kind != "none"
    for spec in site.specs:
        service = ("services", spec.service.name)
        if spec.host and not (exposed and spec.has_domain):
            lack = "hasDomain: true" if exposed else "exposure.kind internal or public"
            mend = "nothing would answer there"
            yield Violation((*service, "host"), f"'{spec.host}'", lack, mend, also=(("exposure",),))
        elif spec.has_domain and exposed:
            answer = (spec.host or site.exposure.domain or "", spec.service.path)
            other = taken.setdefault(answer, spec.service.name)
            if other != spec.service.name:
                found = f"path {spec.service.path} of the host, which {other} answers already"
                mend = f"write services.{spec.service.name}.host with a host name of its own"
                also = (("services", other), ("exposure",))
                yield Violation((*service, "hasDomain"), found, "", mend, also=also)


def arns_are_of_the_partition(site: Site) -> Iterator[Violation]:
    """Yield principals of another AWS partition (China, GovCloud) than the cluster's region."""
    if site.eks is None:
        return
    expected = naming.partition(site.eks.region)
    for key, arns in (("admins", site.eks.admins), ("runners", site.eks.runners)):
        for index, arn in enumerate(arns):
            if arn.split(":")[1] != expected:
                found, place = f"an ARN of partition {arn.split(':')[1]}", ("cluster", key, index)
                yield Violation(
                    place,
                    found,
                    f"{expected}, the partition of {site.eks.region}",
                    also=(("cluster", "region"),),
                )
