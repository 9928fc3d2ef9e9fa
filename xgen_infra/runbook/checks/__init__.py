"""What each step's check looks at. All of it is read, nothing is changed."""
