"""Routes of projects, their syncs, and previews of repositories."""
