"""The support bundle: what somebody far away needs in order to help, and no secret."""

from xgen_infra.support.bundle import Bundle, BundleError, Missing

__all__ = ["Bundle", "BundleError", "Missing"]
