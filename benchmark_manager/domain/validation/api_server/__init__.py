"""What the API server refuses and Kubernetes' schemas do not say, kept as tables of shapes and rules."""

from benchmark_manager.domain.validation.api_server.objects import check_api_rules

__all__ = ["check_api_rules"]
