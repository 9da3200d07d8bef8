"""Recorded conversations: reading them, doing them again, and comparing the answers.

`sessionary.control.recording` writes the runs of namespaces; HAR files come from elsewhere.
"""

from sessionary.replay.comparison import first_difference as first_difference
from sessionary.replay.player import NotPlayed as NotPlayed
from sessionary.replay.player import other_settings as other_settings
from sessionary.replay.player import play as play
from sessionary.replay.player import running_double as running_double
from sessionary.replay.run_file import BadRun as BadRun
from sessionary.replay.run_file import Run as Run
from sessionary.replay.run_file import read as read
from sessionary.replay.shrinking import NotFailing as NotFailing
from sessionary.replay.shrinking import shrink as shrink
