"""EC2: networks, routes, security groups, peering, endpoints, templates."""
