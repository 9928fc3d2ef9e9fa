"""What of a site goes to the customer's Git, and how it gets there."""
