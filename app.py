"""The home page: every task with its state, a new one, real samples, and a box for a first sentence."""

from pages.ui import prose
from pages.ui.frame import open_home

with open_home() as page:
    prose.title(page.say("frame.home"))
