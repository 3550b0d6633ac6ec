"""Real data to try the road with: a card for each sample, one click to a task in the workspace."""

from __future__ import annotations

import streamlit as st

from pages.ui import prose
from pages.ui.page import Page, go_to, link
from training.clock import local_now
from training.sample_documents import Sample
from training.sample_task import open_sample, sample_task
from training.samples import SAMPLES

FIRST_STAGE = "recommend"  # the interview of a sample is filled in; what a visitor wants to see next is the plan


def sample_cards(page: Page) -> None:
    """The samples side by side. One that is in the workspace already is opened, not written again, unless another is asked for."""
    prose.heading(page.say("home.samples.heading"))
    prose.muted(page.say("home.samples.intro"))
    for column, sample in zip(st.columns(len(SAMPLES)), SAMPLES.values()):
        with column, st.container(border=True, height="stretch", key=f"home-sample-{sample.name}"):
            _card(page, sample)


def _card(page: Page, sample: Sample) -> None:
    prose.strong(sample.answers["title"][page.language])
    prose.sentence(sample.about[page.language])
    language = page.say(f"home.understood.in.{sample.language}")
    with st.container(gap=None):
        prose.muted(page.say("home.samples.facts", rows=sample.rows, classes=len(sample.labels), language=language))
        prose.muted(page.say("home.samples.licence", licence=sample.licence[page.language]))
    existing = sample_task(page.root, sample.name)
    if existing:
        link(
            page, FIRST_STAGE, existing, label=page.say("home.samples.open", name=existing.name), icon=":material/arrow_forward:"
        )
    said = page.say("home.samples.another") if existing else page.say("home.samples.take")
    if st.button(prose.plain(said), key=f"home.sample.{sample.name}", type="tertiary" if existing else "secondary"):
        with st.spinner(prose.plain(page.say("home.samples.writing"))):
            task = open_sample(page.root, sample.name, now=local_now(), language=page.language, another=existing is not None)
        go_to(page, FIRST_STAGE, task)
