"""What an editor keeps when the folder and the browser change in turn: nobody's words are lost, and nobody is overwritten."""

from __future__ import annotations

from pages.ui.sheet import Sheet, differences, follow, has_followed, in_conflict, kept_over, rewritten, saved_as, typed, with_put


def test_a_sheet_without_edits_follows_the_file_and_the_browser_is_told_to_replace_its_text():
    first = follow(None, "a: 1\n", "f1")
    after = follow(first, "a: 2\n", "f2")
    assert (after.text, after.seen, after.edited) == ("a: 2\n", "f2", False)
    assert after.turn == first.turn + 1
    assert has_followed(first, after)


def test_nothing_is_said_to_have_changed_where_only_the_language_of_a_draft_has():
    first = follow(None, "# 任務\n", "draft")
    after = follow(first, "# task\n", "draft")
    assert after.text == "# task\n"
    assert not has_followed(first, after)


def test_edits_stay_when_the_file_changes_and_the_two_are_in_conflict():
    mine = typed(follow(None, "a: 1\n", "f1"), "a: 10\n", 0)
    after = follow(mine, "a: 2\n", "f2")
    assert after.text == "a: 10\n"
    assert in_conflict(after, "f2") and not in_conflict(after, "f1")


def test_two_people_who_write_the_same_are_not_in_conflict():
    mine = typed(follow(None, "a: 1\n", "f1"), "a: 2\n", 0)
    after = follow(mine, "a: 2\n", "f2")
    assert not after.edited and not in_conflict(after, "f2")
    assert after.turn == mine.turn, "the browser need not replace a text it has already"


def test_keeping_mine_ends_the_conflict_and_still_counts_as_unsaved():
    mine = kept_over(typed(follow(None, "a: 1\n", "f1"), "a: 10\n", 0), "a: 2\n", "f2")
    assert mine.text == "a: 10\n" and mine.edited and not in_conflict(mine, "f2")


def test_a_late_word_about_a_replaced_text_is_passed_over():
    sheet = rewritten(follow(None, "a: 1\n", "f1"), "a: 5\n")
    assert typed(sheet, "a: 1x\n", 0) == sheet
    assert typed(sheet, "a: 5x\n", 1).text == "a: 5x\n"


def test_rewriting_with_the_same_text_leaves_the_cursor_alone():
    sheet = follow(None, "a: 1\n", "f1")
    assert rewritten(sheet, "a: 1\n").turn == sheet.turn


def test_saving_leaves_nothing_to_save_and_the_browser_its_cursor():
    sheet = saved_as(Sheet("a: 3", "a: 1\n", "f1", 4), "a: 3\n", "f2")
    assert not sheet.edited and sheet.turn == 4
    assert follow(sheet, "a: 3\n", "f2") == sheet


def test_two_texts_are_told_apart_line_by_line():
    assert differences("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 20\nc: 3\n").split("\n")[1:] == [" a: 1", "-b: 2", "+b: 20", " c: 3"]


def test_words_that_come_late_get_the_values_the_page_has_put_in_meanwhile():
    sheet = Sheet("a: 1\n", "a: 1\n", "seen", turn=3)
    put = with_put(sheet, {("a",): 2})
    assert (put.text, put.turn) == ("a: 2\n", 4)
    late = typed(put, "# my note\na: 1\n", 3)
    assert (late.text, late.turn) == ("# my note\na: 2\n", 5), "the browser shows both"
    assert typed(put, "a: [", 3).text == "a: [", "what cannot be read stays as it was typed"
    assert typed(rewritten(put, "b: 1\n"), "a: 3\n", 4).text == "b: 1\n", "another text is no place for them"
    assert typed(late, "old", 3) == late
