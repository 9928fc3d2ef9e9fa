"""Secrets: which a stack has, where one is found, and how a text is shown without them."""

from xgen_infra.secrecy.search import Leak, Search

__all__ = ["Leak", "Search"]
