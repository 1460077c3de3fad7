"""The time of all files of archives, so that an archive does not depend on when it was made.

It is the earliest time of zip archives, and GNU tar warns of files from 1970.
"""

from typing import Final

#: 1980-01-01 00:00:00 UTC in seconds since 1970.
SECONDS: Final = 315_532_800
#: The same as MS-DOS writes dates: years since 1980 in bits 9 to 15, month in 5 to 8, day in 0 to
#: 4.
MS_DOS_DATE: Final = 1 << 5 | 1
