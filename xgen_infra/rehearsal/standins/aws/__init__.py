"""The stand-in of the `aws` provider: boto3 against the emulator."""
