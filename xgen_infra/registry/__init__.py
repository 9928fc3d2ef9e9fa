"""A small client of the registry API: who may enter, which image a tag is, and what to do when it is none."""

from xgen_infra.registry.client import Credential, Image, RegistryClient
from xgen_infra.registry.problems import Problem, RegistryError
from xgen_infra.registry.transport import Endpoint

__all__ = ["Credential", "Endpoint", "Image", "Problem", "RegistryClient", "RegistryError"]
