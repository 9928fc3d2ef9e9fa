"""The stand-in of the `eks` provider: components that register ordinary resources of pulumi_aws."""
