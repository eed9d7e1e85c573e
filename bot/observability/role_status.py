"""Which roles of this process run, and why one of them doesn't."""

from bot.observability import metrics


class RoleStatus:
    """The state of every role that the supervisor started, for `/readyz` and the metrics."""

    def __init__(self) -> None:
        self._down: dict[str, str] = {}
        self._names: list[str] = []

    @property
    def names(self) -> list[str]:
        """Every role that was started, in that order."""
        return list(self._names)

    def problem(self, name: str) -> str | None:
        """Why the role doesn't run now; None if it does."""
        return self._down.get(name)

    def started(self, name: str) -> None:
        """The role runs, for the first time or again."""
        if name not in self._names:
            self._names.append(name)
        self._down.pop(name, None)
        metrics.role_up.labels(name).set(1)

    def crashed(self, name: str, problem: str) -> None:
        """The role ended with an error, and waits to be restarted."""
        self._down[name] = problem
        metrics.role_up.labels(name).set(0)
        metrics.role_restarts.labels(name).inc()
