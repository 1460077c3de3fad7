"""How much a receipt may say."""

from typing import Final

#: Limits of what a machine says: characters, and GPUs.
LONGEST_NODE: Final = 255
LONGEST_IMAGE_ID: Final = 500
LONGEST_GPU: Final = 200
LONGEST_DRIVER: Final = 100
MOST_GPUS: Final = 64
#: Files that a receipt may list; for more, it has their digest.
MOST_FILES: Final = 100_000
