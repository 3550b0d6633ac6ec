"""Stage 5: a model learns in front of the reader, who can stop it and go on with it.

Chooses the version and hands it on: run_header.py says what it is and holds its buttons, live_run.py what it does.
"""

from pages.ui import prose
from pages.ui.frame import open_page
from pages.ui.live_run import live_run
from pages.ui.page import link
from pages.ui.run_header import chosen_run, header

with open_page("train") as page:
    run = chosen_run(page)
    if run is None:
        prose.title(page.say("train.none.title"))
        prose.sentence(page.say("train.none.todo"))
        link(page, "confirm", page.task, icon=":material/arrow_forward:")
    else:
        header(page, run)
        live_run(page, run)
