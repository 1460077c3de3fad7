"""Settings that stop the start."""

import pytest

from benchmark_manager.config import load_settings
from benchmark_manager.errors import StartError

KEY = "kH7oC0wq3tXb9Yx2m5R1uVzE8sJfA4nLpQdTgWiK6c0="


def refusal_of(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StartError) as refused:
        load_settings()
    assert "\n" not in refused.value.detail
    return refused.value.detail
