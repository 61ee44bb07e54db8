"""The few methods outside the module with which a client asks about its user, application and portal."""

from __future__ import annotations

from datetime import UTC, datetime

from bi_mcp.practice.portal.context import Call, Context


class SystemMethods:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def app_info(self, call: Call) -> object:
        return {
            "ID": 1,
            "CODE": call.application,
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": True,
            "PAYMENT_EXPIRED": "N",
            "DAYS": None,
            "LANGUAGE_ID": "en",
            "LICENSE": "local",
            "LICENSE_TYPE": "local",
            "LICENSE_FAMILY": "local",
        }

    async def scope(self, call: Call) -> object:
        return sorted(call.scopes)

    async def server_time(self, _: Call) -> object:
        return datetime.fromtimestamp(self._context.clock(), UTC).isoformat(timespec="seconds")

    async def profile(self, call: Call) -> object:
        user = call.user
        return {
            "ID": str(user.id),
            "ADMIN": user.administrator,
            "NAME": user.name,
            "LAST_NAME": user.last_name,
        }

    async def user(self, call: Call) -> object:
        user = call.user
        return {
            "ID": str(user.id),
            "ACTIVE": True,
            "NAME": user.name,
            "LAST_NAME": user.last_name,
            "UF_DEPARTMENT": list(user.departments),
        }
