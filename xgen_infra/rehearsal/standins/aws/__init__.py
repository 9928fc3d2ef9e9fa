"""The stand-in of the `aws` provider: boto3 against an emulator of AWS, and a store for what that lacks."""
