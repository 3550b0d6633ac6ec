from pages.ui import prose
from pages.ui.frame import open_page

with open_page("goal") as page:
    prose.title(page.task.title)
