"""The home page: every task with its state and score, a box for a first sentence, real samples, and a new task by its title."""

from pages.ui import cached, prose
from pages.ui.first_sentence_box import first_sentence_box
from pages.ui.frame import open_home
from pages.ui.new_task_form import new_task_form
from pages.ui.sample_cards import sample_cards
from pages.ui.task_list import task_list

with open_home() as page:
    lines = cached.overviews(page.root)
    if lines:
        prose.title(page.say("home.title"))
        task_list(page)
        prose.heading(page.say("home.begin"))
    else:
        prose.title(page.say("home.welcome"))
        prose.sentence(page.say("home.first_visit"))
    first_sentence_box(page, lines)
    sample_cards(page)
    new_task_form(page)
