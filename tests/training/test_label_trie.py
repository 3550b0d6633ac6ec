import pytest

from training.evaluation.label_trie import NOWHERE, branchings

END = 99


def test_labels_that_differ_at_once_need_one_choice():
    [root] = branchings([[1, 5], [2], [3, 3]], END)
    assert root.path == () and root.children == (1, 2, 3)
    assert root.labels == (0, 1, 2) and root.next_choices == (NOWHERE,) * 3


def test_a_label_that_begins_another_is_told_apart_by_its_end():
    root, deeper = branchings([[1], [1, 2], [4]], END)
    assert root.children == (1, 4) and root.labels == (NOWHERE, 2) and root.next_choices == (1, NOWHERE)
    assert deeper.path == (1,) and deeper.children == (END, 2) and deeper.labels == (0, 1)


def test_a_choice_leads_past_tokens_that_leave_none():
    root, deeper = branchings([[1, 2, 3, 4], [1, 2, 3, 5], [6]], END)
    assert root.next_choices == (1, NOWHERE)
    assert deeper.path == (1, 2, 3) and deeper.children == (4, 5)


def test_labels_that_all_begin_alike_have_their_first_choice_behind_that():
    [only] = branchings([[7, 1], [7, 2]], END)
    assert only.path == (7,) and only.labels == (0, 1)


def test_a_single_label_leaves_no_choice():
    assert branchings([[1, 2]], END) == []


def test_two_labels_of_the_same_tokens_are_refused():
    with pytest.raises(ValueError, match="same tokens"):
        branchings([[1], [1]], END)
