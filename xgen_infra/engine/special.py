"""How the engine marks values that JSON has no word for, on the wire, in a state and in the event log."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of a special value (pulumi sdk, `resource.SigKey`); its value says of which kind."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a secret
"""A secret (pulumi sdk, `resource.SecretSig`)."""
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
"""An output value (pulumi sdk, `resource.OutputValueSig`)."""
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
"""A reference to a resource, by its URN (pulumi sdk, `resource.ResourceReferenceSig`)."""
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A value that is not known yet (pulumi sdk, `plugin.UnknownStringValue`)."""
