"""Switches from a command line, and mistakes in them."""

import pytest

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.error_bodies import UnknownBehavior


def test_a_command_line_sets_switches_and_the_others_keep_their_defaults():
    behaviors = Behaviors.parse(["list_shape=value", "rate_per_second=0", "queue_seconds=0.5"])
    assert behaviors == Behaviors(list_shape="value", rate_per_second=0, queue_seconds=0.5)
    assert behaviors.stub_key == "guid"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("list_shap=value", "did you mean list_shape?"),
        ("nothing=1", "no behavior 'nothing'"),
        ("list_shape", "expected name=value"),
        ("list_shape=tree", "expected array | value"),
        ("parallel=ten", "expected a number"),
        ("parallel=-1", "not negative"),
    ],
)
def test_a_mistake_names_the_choices(setting, words):
    with pytest.raises(UnknownBehavior) as caught:
        Behaviors.parse([setting])
    assert words in str(caught.value)


def test_a_wrong_value_is_refused_in_python_too():
    with pytest.raises(UnknownBehavior):
        Behaviors(deleted="gone")


def test_settings_can_be_parsed_again():
    behaviors = Behaviors(order="stable-random", parallel=3, queue_seconds=0.25)
    assert Behaviors.parse(behaviors.settings()) == behaviors
    assert Behaviors().settings() == []


def test_every_switch_has_choices_that_begin_with_its_default():
    choices = Behaviors.choices()
    assert choices["beyond_window"] == "error | empty | wrap-to-last"
    assert all(choices[name].startswith(str(default)) for name, default in vars(Behaviors()).items())
