"""Gives moto's IAM users the permissions boundary that it knows of roles only.

Actions: AWS IAM API Reference, PutUserPermissionsBoundary, DeleteUserPermissionsBoundary, CreateUser.
"""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import User
from moto.iam.responses import IamResponse


def install() -> None:
    """Add the two actions, and the field to CreateUser and GetUser, in this process."""
    create = IamResponse.create_user

    def create_user(self: IamResponse) -> ActionResult:
        made = create(self)
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = self._get_param(
            "PermissionsBoundary"
        )
        return made

    def put_user_permissions_boundary(self: IamResponse) -> ActionResult:
        user = self.backend.get_user(self._get_param("UserName"))
        user.permissions_boundary_arn = self._get_param("PermissionsBoundary")
        return EmptyResult()

    def delete_user_permissions_boundary(self: IamResponse) -> ActionResult:
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
        return EmptyResult()

    def permissions_boundary(self: User) -> dict[str, str] | None:
        if not self.permissions_boundary_arn:
            return None
        return {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": self.permissions_boundary_arn,
        }

    User.permissions_boundary_arn = None
    User.permissions_boundary = property(permissions_boundary)
    IamResponse.create_user = create_user
    IamResponse.put_user_permissions_boundary = put_user_permissions_boundary
    IamResponse.delete_user_permissions_boundary = delete_user_permissions_boundary
