"""Rules that hold across the fields of one customer's file. Pure functions of a site, listed here once."""

from xgen_infra.rules.services import services_contradict_themselves
from xgen_infra.rules.violation import Rule, Violation

RULES: tuple[Rule, ...] = (services_contradict_themselves,)

__all__ = ["RULES", "Rule", "Violation"]
