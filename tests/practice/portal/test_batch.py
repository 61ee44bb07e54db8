from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import pytest

from bi_mcp.practice.portal.answers import ModuleFault, SystemFault
from bi_mcp.practice.portal.batch import run_batch
from bi_mcp.practice.portal.brackets import parse_brackets

pytestmark = pytest.mark.anyio


class Methods:
    """Answers with what was configured and remembers what it was asked."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.calls: list[tuple[str, Mapping[str, object]]] = []

    async def __call__(self, method: str, parameters: Mapping[str, object]) -> object:
        self.calls.append((method, parameters))
        answer = self.answers.get(method, True)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ticking() -> Callable[[], float]:
    seconds = count(1000)
    return lambda: float(next(seconds))


def test_nested_keys_become_maps_and_lists_of_strings() -> None:
    query = "fields[title]=x+y&fields[fields][0][name]=ID&fields[fields][1][name]=B%26C&select[]=id&select[]=title"
    assert parse_brackets(query) == {
        "fields": {"title": "x y", "fields": [{"name": "ID"}, {"name": "B&C"}]},
        "select": ["id", "title"],
    }


def test_encoded_brackets_and_operators_in_keys_are_read() -> None:
    assert parse_brackets("filter%5B%3E%3Did%5D=5&order[id]=ASC&empty=") == {
        "filter": {">=id": "5"},
        "order": {"id": "ASC"},
        "empty": "",
    }


def test_only_keys_that_count_from_zero_make_a_list() -> None:
    assert parse_brackets("a[1]=x&a[2]=y&b[0]=x&b[2]=y") == {
        "a": {"1": "x", "2": "y"},
        "b": {"0": "x", "2": "y"},
    }


def test_what_is_nested_too_deeply_is_dropped() -> None:
    assert parse_brackets("a" + "[x]" * 5000 + "=1&b=2") == {"b": "2"}


async def test_a_map_of_commands_answers_under_its_own_keys() -> None:
    methods = Methods(first={"id": 7}, second=True)
    answer = await run_batch({"cmd": {"a": "first?fields[title]=x", "b": "second.json"}}, methods, ticking())
    assert methods.calls == [("first", {"fields": {"title": "x"}}), ("second", {})]
    assert answer["result"] == {"a": {"id": 7}, "b": True}
    times = answer["result_time"]
    assert isinstance(times, dict)
    assert (times["b"]["start"], times["b"]["duration"]) == (1002.0, 1.0)
    assert "operating" not in times["b"]


async def test_empty_maps_and_counted_keys_come_as_lists_as_php_encodes_them() -> None:
    answer = await run_batch({"cmd": ["one", "two"]}, Methods(one=1, two=2))
    assert answer["result"] == [1, 2]
    assert answer["result_error"] == answer["result_total"] == answer["result_next"] == []


async def test_a_list_with_a_gap_comes_as_a_map() -> None:
    answer = await run_batch({"cmd": ["bad", "two"]}, Methods(bad=SystemFault(404, "X", "x"), two=2))
    assert answer["result"] == {"1": 2}
    assert answer["result_error"] == [{"error": "X", "error_description": "x"}]


async def test_a_later_command_refers_to_an_earlier_result_also_in_depth() -> None:
    methods = Methods(add={"id": 7, "item": {"codes": ["a", "b"], "on": True}})
    commands = {
        "new": "add",
        "flat": "get?id=$result[new][id]",
        "deep": "get?fields[x][0][code]=%24result%5Bnew%5D%5Bitem%5D%5Bcodes%5D%5B1%5D&on=$result[new][item][on]",
        "text": "get?title=Nr.+$result[new][id]+of+$result[new][id]",
        "whole": "get?codes=$result[new][item][codes]",
    }
    await run_batch({"cmd": commands}, methods)
    assert [parameters for _, parameters in methods.calls[1:]] == [
        {"id": "7"},
        {"fields": {"x": [{"code": "b"}]}, "on": "1"},
        {"title": "Nr. 7 of 7"},
        {"codes": ["a", "b"]},
    ]


async def test_a_reference_that_leads_nowhere_is_an_empty_string() -> None:
    methods = Methods(add=ModuleFault("NO", "no"))
    await run_batch({"cmd": {"new": "add", "next": "get?id=$result[new][id]&x=$result[nobody]"}}, methods)
    assert methods.calls[1] == ("get", {"id": "", "x": ""})


async def test_an_error_of_the_module_is_a_result_and_a_system_error_is_not() -> None:
    methods = Methods(soft=ModuleFault("NOT_FOUND", "gone"), hard=SystemFault(404, "NO_METHOD", "unknown"))
    answer = await run_batch({"cmd": {"a": "soft", "b": "hard", "c": "fine"}}, methods)
    assert answer["result"] == {
        "a": {"error": {"error": "NOT_FOUND", "error_description": "gone"}},
        "c": True,
    }
    assert answer["result_error"] == {"b": {"error": "NO_METHOD", "error_description": "unknown"}}
    times = answer["result_time"]
    assert isinstance(times, dict)
    assert set(times) == {"a", "c"}


@pytest.mark.parametrize("halt", [1, "1", True])
async def test_halt_stops_after_a_system_error_but_not_after_one_of_the_module(halt: object) -> None:
    methods = Methods(soft=ModuleFault("NOT_FOUND", "gone"), hard=SystemFault(404, "NO_METHOD", "unknown"))
    await run_batch({"cmd": {"a": "soft", "b": "hard", "c": "fine"}, "halt": halt}, methods)
    assert [method for method, _ in methods.calls] == ["soft", "hard"]


@pytest.mark.parametrize("halt", [0, "0", False, "", None])
async def test_without_halt_every_command_runs(halt: object) -> None:
    methods = Methods(hard=SystemFault(404, "NO_METHOD", "unknown"))
    await run_batch({"cmd": {"b": "hard", "c": "fine"}, "halt": halt}, methods)
    assert [method for method, _ in methods.calls] == ["hard", "fine"]


async def test_more_than_fifty_commands_are_refused_before_the_first_runs() -> None:
    methods = Methods()
    with pytest.raises(SystemFault) as refusal:
        await run_batch({"cmd": ["fine"] * 51}, methods)
    assert (refusal.value.status, refusal.value.code) == (400, "ERROR_BATCH_LENGTH_EXCEEDED")
    assert methods.calls == []
    answer = await run_batch({"cmd": ["fine"] * 50}, methods)
    assert answer["result"] == [True] * 50


@pytest.mark.parametrize("command", ["batch?cmd[a]=fine", "batch.json"])
async def test_a_batch_inside_a_batch_is_an_error_of_that_command_only(command: str) -> None:
    answer = await run_batch({"cmd": {"nested": command, "after": "fine"}}, Methods())
    errors = answer["result_error"]
    assert isinstance(errors, dict)
    assert errors["nested"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"
    assert answer["result"] == {"after": True}


async def test_a_batch_without_commands_is_empty() -> None:
    assert set(map(str, (await run_batch({}, Methods())).values())) == {"[]"}
