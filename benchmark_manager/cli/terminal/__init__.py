"""What all commands share: options, output, and errors."""
