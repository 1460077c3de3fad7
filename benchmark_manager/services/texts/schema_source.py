"""Which versions of Kubernetes' schemas the service has.

Apart from reading them, as worker processes start in less time without the logging library.
"""

import structlog

from benchmark_manager.services.texts.kubernetes_schemas import (
    PACKAGE,
    SchemasMissingError,
    find_versions,
)

_log = structlog.get_logger(__name__)


class SchemaSource:
    """The versions of the installed schemas, which worker processes read.

    Without schemas, manifests are checked by our own rules alone.
    """

    def __init__(self, package: str = PACKAGE) -> None:
        """Find the package's versions, without reading their schemas."""
        self.package = package
        self.versions: tuple[str, ...] = ()
        self.missing: str | None = None
        try:
            self.versions = tuple(find_versions(package))
        except SchemasMissingError as error:
            self.give_up(str(error))

    def give_up(self, reason: str) -> None:
        """Record that the schemas cannot be read."""
        self.versions, self.missing = (), reason
        _log.warning("manifests are not checked against Kubernetes' schemas", reason=reason)
