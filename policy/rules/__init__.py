"""The rules by name."""

from policy.rules.aws import AWS
from policy.rules.delivery import DELIVERY
from policy.rules.secrets import SECRETS
from policy.rules.subject import Resource, Rule

RULES: tuple[Rule, ...] = (*AWS, *SECRETS, *DELIVERY)
"""Every rule of the pack."""

__all__ = ["RULES", "Resource", "Rule"]
