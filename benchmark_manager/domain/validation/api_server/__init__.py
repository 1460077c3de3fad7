"""Rules of the API server that Kubernetes' schemas lack, as tables of shapes and rules."""

from benchmark_manager.domain.validation.api_server.objects import check_api_rules

__all__ = ["check_api_rules"]
