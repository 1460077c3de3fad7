"""Builds the services of projects and of their original files."""

from benchmark_manager.config import Settings
from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.originals.file_history import FileHistoryService
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.services.projects.previews import PreviewService
from benchmark_manager.services.projects.projects import ProjectService
from benchmark_manager.services.projects.sources import ProjectDefaults, SourceService


def project_service(parts: Parts) -> ProjectService:
    """Build the service of projects."""
    stores, settings = parts.stores, parts.settings
    return ProjectService(
        stores.projects,
        stores.originals,
        stores.syncs,
        ProjectEditor(parts.database, stores.projects, clock=parts.clock, record=parts.audit),
        SourceService(parts.vault, parts.credentials, api_urls=settings.github_api_urls),
        defaults=_defaults(settings),
        clock=parts.clock,
    )


def preview_service(parts: Parts) -> PreviewService:
    """Build the service of previews."""
    return PreviewService(
        parts.credentials,
        api_urls=parts.settings.github_api_urls,
        defaults=_defaults(parts.settings),
        max_file_size=parts.settings.max_file_size,
    )


def file_history_service(parts: Parts) -> FileHistoryService:
    """Build the service of histories of original files."""
    stores = parts.stores
    return FileHistoryService(
        stores.projects,
        stores.originals,
        stores.file_histories,
        parts.credentials,
        clock=parts.clock,
    )


def _defaults(settings: Settings) -> ProjectDefaults:
    return ProjectDefaults(
        settings.default_config_folder,
        settings.default_job_folder,
        settings.default_polling_interval,
    )
