"""The older `projects/*.yaml`, one Argo CD project per customer, carried over to customers' files."""
