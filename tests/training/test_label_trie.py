import pytest

from training.evaluation.label_trie import branchings

END = 99


def test_labels_that_differ_at_once_need_one_choice():
    [root] = branchings([[1, 5], [2], [3, 3]], END)
    assert root.path == () and root.children == (1, 2, 3) and root.choice_of == (0, 1, 2)


def test_a_label_that_begins_another_is_told_apart_by_its_end():
    root, deeper = branchings([[1], [1, 2], [4]], END)
    assert root.children == (1, 4) and root.choice_of == (0, 0, 1)
    assert deeper.path == (1,) and set(deeper.children) == {END, 2} and deeper.choice_of[2] == -1


def test_a_single_label_leaves_no_choice():
    assert branchings([[1, 2]], END) == []


def test_two_labels_of_the_same_tokens_are_refused():
    with pytest.raises(ValueError, match="same tokens"):
        branchings([[1], [1]], END)
