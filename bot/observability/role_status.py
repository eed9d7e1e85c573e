"""The states of this process's roles."""

from bot.observability import metrics


class RoleStatus:
    """The state of every role that the supervisor started, for `/readyz` and the metrics."""

    def __init__(self) -> None:
        self._down: dict[str, str] = {}
        self._names: list[str] = []

    @property
    def names(self) -> list[str]:
        """The names of all roles that were started, in order."""
        return list(self._names)

    def problem(self, name: str) -> str | None:
        """Return why the role isn't running; None if it is."""
        return self._down.get(name)

    def started(self, name: str) -> None:
        """Record that the role has started or restarted."""
        if name not in self._names:
            self._names.append(name)
        self._down.pop(name, None)
        metrics.role_up.labels(name).set(1)

    def crashed(self, name: str, problem: str) -> None:
        """Record that the role ended with an error and waits to be restarted."""
        self._down[name] = problem
        metrics.role_up.labels(name).set(0)
        metrics.role_restarts.labels(name).inc()
