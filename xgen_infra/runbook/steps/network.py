"""The ways in, and the way to the management server."""

from __future__ import annotations

from xgen_infra.runbook.checks import outside, workloads
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import Check, Command, Step, Theme, exposed, on_eks

DNS = Step(
    id="certificate-and-dns",
    title="Certificate and DNS",
    when=(
        "{% if domain %}`{{ domain }}` does not resolve, leads elsewhere, or shows a certificate that is not right."
        "{% else %}The load balancer's own name serves, and people do not reach it.{% endif %}"
    ),
    commands=(
        Command("{{ kubectl }} --namespace {{ namespace }} get ingress", "the address that the way in has"),
        Command(
            "{% if domain %}dig +short {{ domain }}{% else %}dig +short ADDRESS{% endif %}",
            "{% if domain %}where the name leads: to that address{% else %}ADDRESS from the first command{% endif %}",
        ),
        Command(
            "{% if certificate.arn %}aws acm describe-certificate --region {{ cluster.region }} "
            "--certificate-arn {{ certificate.arn }} --query 'Certificate.[Status,NotAfter,DomainValidationOptions]'"
            "{% elif certificate.secret %}{{ kubectl }} --namespace {{ namespace }} get secret {{ certificate.secret }} "
            "--output jsonpath='{.data.tls\\.crt}' | base64 --decode | openssl x509 -noout -subject -enddate"
            "{% else %}curl --head http://{% if domain %}{{ domain }}{% else %}ADDRESS{% endif %}/{% endif %}",
            "{% if certificate.arn or certificate.secret %}whether the certificate is good, and until when{% else %}no "
            "certificate is set: the way in speaks plain HTTP{% endif %}",
        ),
    ),
    expect=(
        "{% if domain %}`{{ domain }}` is a CNAME (or alias) to the Ingress' address; whoever keeps the zone sets it. "
        "{% endif %}{% if certificate.arn %}`ISSUED`: ACM renews by itself as long as its validation record stands in "
        "the zone.{% elif certificate.secret %}A date to come. A new certificate goes into the Secret "
        "`{{ certificate.secret }}` (`tls.crt`, `tls.key`), and is taken up without a restart.{% else %}An answer with a "
        "status line. For TLS name a certificate below `exposure` in `Pulumi.{{ stack }}.yaml`.{% endif %}"
    ),
    check=Check(
        "Each Ingress has an address.",
        workloads.ingresses,
        "{{ kubectl }} --namespace {{ namespace }} get ingress",
    ),
    applies=exposed,
)


def _peered(facts: Facts) -> bool:
    """Whether there is another side; an output that is missing counts as one, so that it is asked for."""
    return on_eks(facts) and facts.get("cluster", "management") != {}


PEERING = Step(
    id="the-other-side-of-the-peering",
    title="What the other side of the peering must do",
    when=(
        "The services cannot reach `{{ cluster.management.cidr }}`, or somebody changes the network of the management "
        "server (account {{ cluster.management.account }}, VPC `{{ cluster.management.vpcId }}`)."
    ),
    commands=(
        Command(
            "aws ec2 describe-vpc-peering-connections --region {{ cluster.region }} "
            "--vpc-peering-connection-ids {{ cluster.peeringConnectionId }} "
            "--query 'VpcPeeringConnections[0].Status'",
            "how the connection is",
        ),
        Command(
            "aws ec2 accept-vpc-peering-connection --region {{ cluster.management.region }} "
            "--vpc-peering-connection-id {{ cluster.peeringConnectionId }}",
            "by the owner of account {{ cluster.management.account }}, where the status is pending-acceptance",
        ),
        Command(
            "aws ec2 describe-route-tables --region {{ cluster.management.region }} "
            "--filters Name=vpc-id,Values={{ cluster.management.vpcId }} "
            "--query 'RouteTables[].Routes[?DestinationCidrBlock==`{{ cluster.vpcCidr }}`]'",
            "by that owner: the way back",
        ),
    ),
    expect=(
        "`active`, and in each route table that the server uses a route for `{{ cluster.vpcCidr }}` through "
        "`{{ cluster.peeringConnectionId }}`. The server's security groups and its own firewall admit "
        "`{{ cluster.vpcCidr }}` on {% for one in cluster.management.ports %}{{ one.port }} ({{ one.purpose }})"
        "{{ ', ' if not loop.last }}{% endfor %}. "
        "{% if cluster.peeringRemaining %}Still to be done by hand: {% for one in cluster.peeringRemaining %}{{ one }}"
        "{{ '; ' if not loop.last }}{% endfor %}.{% else %}This stack has set all of that itself: nothing is left to "
        "be done by hand.{% endif %}"
    ),
    check=Check(
        "The peering connection is active.",
        outside.peering_active,
        "aws ec2 describe-vpc-peering-connections --region {{ cluster.region }} "
        "--vpc-peering-connection-ids {{ cluster.peeringConnectionId }}",
    ),
    applies=_peered,
)

THEME = Theme("network", "Names and networks", (DNS, PEERING))
