"""Reading a repository: refs, folders, contents and archives."""
