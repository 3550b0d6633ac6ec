from pages.ui import prose
from pages.ui.frame import open_page

with open_page("evaluate") as page:
    prose.title(page.task.title)
