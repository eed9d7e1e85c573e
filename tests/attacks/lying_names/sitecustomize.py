"""A lying name server, for a program that is started with this folder on PYTHONPATH.

LYING_NAMES is a JSON file: name -> addresses of each successive look-up; the last ones are repeated.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

_answers: dict[str, list[list[str]]] = json.loads(Path(os.environ["LYING_NAMES"]).read_text(encoding="utf-8"))
_look_up = socket.getaddrinfo


def _lying(host: Any, port: Any, *args: Any, **options: Any) -> Any:
    lies = _answers.get(str(host))
    if lies is None:
        return _look_up(host, port, *args, **options)
    found = lies.pop(0) if len(lies) > 1 else lies[0]
    return [one for address in found for one in _look_up(address, port, *args, **options)]


socket.getaddrinfo = _lying
