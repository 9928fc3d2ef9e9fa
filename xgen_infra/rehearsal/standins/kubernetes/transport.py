"""Requests to an API server by the official client, which takes most of a second to import: only a real server needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config as client_config
from kubernetes.client.exceptions import ApiException

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.api import UnreachableError
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import KubeconfigError

_SECONDS = (5, 30)  # to connect, to answer


class Transport:
    """The API server of a kubeconfig; keys that the client needs as files are kept in `private`."""

    def __init__(self, content: Props, private: Path) -> None:
        """Take a kubeconfig; raises KubeconfigError."""
        try:
            self._client = client_config.new_client_from_config_dict(
                content, persist_config=False, temp_file_path=str(private)
            )
        except (client_config.ConfigException, OSError, KeyError, TypeError) as error:
            raise KubeconfigError(f"the kubeconfig cannot be used: {error}") from None

    def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> tuple[int, str, bytes]:
        """Return an answer's status, reason and data; raises UnreachableError where no server answers."""
        try:
            asked = self._client.param_serialize(
                method, path, [], list(query.items()), dict(headers), body, auth_settings=["BearerToken"]
            )
            response = self._client.call_api(*asked, _request_timeout=_SECONDS)
            data: bytes = response.read()
        except (urllib3.exceptions.HTTPError, OSError, ApiException, client_config.ConfigException) as error:
            raise UnreachableError(f"the Kubernetes API server cannot be reached: {error}") from None
        return response.status, response.reason, data
