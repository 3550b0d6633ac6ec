import pytest

from coach.task_schema import TaskFile
from training.data.render import answer_segments, chat_prompt, output_of, parse_answer, prompt_of

TWO = {"type": "json", "schema": {"mood": {"enum": ["good", "bad"]}, "topic": {"enum": ['a"b', "c"]}}}


def task(template="Text {text} about {entity}: ", output_format=None):
    fields = {"task_name": "t", "input_template": template, "training": {"base_model": "x"}}
    return TaskFile.model_validate({**fields, "output_format": output_format or {"type": "text", "enum": ["good", "bad"]}})


def test_values_go_into_the_template_as_they_are_braces_included():
    assert prompt_of(task(), {"text": "{entity} {0} 100%", "entity": "{text}"}) == "Text {entity} {0} 100% about {text}: "


def test_doubled_braces_are_literal_ones():
    assert prompt_of(task('{{"a": 1}} {{text}} {text}'), {"text": "x"}) == '{"a": 1} {text} x'


def test_a_json_answer_is_what_json_dumps_writes():
    import json

    labels = {"mood": "bad", "topic": 'a"b'}
    written = "".join(segment.text for segment in answer_segments(task(output_format=TWO), labels))
    assert written == json.dumps(labels, ensure_ascii=False)
    assert [segment.target for segment in answer_segments(task(output_format=TWO), labels) if segment.is_label] == [
        "mood",
        "topic",
    ]


@pytest.mark.parametrize("raw", ["fine", "good bad", "", "GOOD"])
def test_a_text_answer_that_is_no_label_stands_outside_the_format(raw):
    assert parse_answer(task(), raw) is None


@pytest.mark.parametrize(
    "raw", ["{", "[]", '{"mood": "good"}', '{"mood": "good", "topic": "d"}', '{"mood": "good", "topic": "c", "x": 1}']
)
def test_json_that_is_not_the_schemas_stands_outside_the_format(raw):
    assert parse_answer(task(output_format=TWO), raw) is None


def test_an_answer_in_the_format_is_read_back():
    assert parse_answer(task(), " bad\n") == "bad"
    written = '{"topic": "c", "mood": "good"}'
    assert parse_answer(task(output_format=TWO), written) == {"topic": "c", "mood": "good"}
    assert output_of(task(output_format=TWO), {"mood": "good", "topic": "c"}) == {"mood": "good", "topic": "c"}


class ChatTokenizer:
    chat_template = "there is one"
    eos_token = "<eos>"

    def apply_chat_template(self, turns, tokenize, add_generation_prompt=False, enable_thinking=None):
        assert tokenize is False and enable_thinking is False
        text = "".join(f"<|{turn['role']}|>{turn['content']}<|end|>\n" for turn in turns)
        return text + ("<|assistant|>" if add_generation_prompt else "")


def test_a_chat_model_gets_its_own_marks_and_ending():
    assert chat_prompt(ChatTokenizer(), "hello") == ("<|user|>hello<|end|>\n<|assistant|>", "<|end|>")


def test_a_base_model_gets_the_prompt_as_it_is():
    class Base:
        chat_template = None
        eos_token = "<eos>"

    assert chat_prompt(Base(), "hello") == ("hello", "<eos>")


def test_the_length_chosen_by_itself_cuts_no_row_whichever_answer_it_has(tiny_model):
    from transformers import AutoTokenizer

    from training.data.rows import Row
    from training.data.tokens import RowEncoder, choose_max_tokens

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    mail = task("{text}", {"type": "text", "enum": ["短", "非常長的類別名稱，有好幾個字"]})
    rows = [Row("a", {"text": "很長的一段文字" * 4}, "短"), Row("b", {"text": "短文"}, "非常長的類別名稱，有好幾個字")]
    encoder = RowEncoder(mail, tokenizer, choose_max_tokens(mail, tokenizer, rows, None))
    assert not any(encoder.encode(row).cut for row in rows), "the longest row has the shorter answer"
    assert RowEncoder(mail, tokenizer, encoder.max_tokens - 1).encode(rows[0]).cut, "and not a token is spare"
