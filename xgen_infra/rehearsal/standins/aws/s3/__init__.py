"""S3: buckets and the settings that are resources of their own."""
