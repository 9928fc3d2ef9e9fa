"""What GitLab's pipelines ask: whom a change touches, what is done for whom, one comment on a merge request."""
