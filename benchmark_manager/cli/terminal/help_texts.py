"""Texts of `--help`: the terminal decides where their lines end, not the source code."""


def unwrapped(text: str) -> str:
    """Return a help text with each paragraph in one line.

    Typer wraps each line by itself, so lines of 100 characters come out ragged on 80 columns.
    Indented lines, such as examples, and the items of lists stay lines of their own.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and _is_prose(lines[-1]) and _is_prose(line):
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _is_prose(line: str) -> bool:
    return line != "" and not line[0].isspace() and not line.startswith(("- ", "* ", "\b"))
