"""The second stack of the journeys serves here too."""

from tests.journeys.conftest import odd, odd_parts, odd_settings, odd_worker

__all__ = ["odd", "odd_parts", "odd_settings", "odd_worker"]
