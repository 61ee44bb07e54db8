"""The page about the tasks for assistants, in both languages, made of the tasks, their budget and what was played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from docs.making.markdown import Row, table
from evals.budget import Cost, load_budget
from evals.played import Played, load_played
from evals.task import Task
from evals.tasks import TASKS

_ENGLISH = """\
# Tasks for assistants

How well does an assistant manage with this server? `evals/` holds {count} tasks, {russian} of them in Russian, {vague} vague as people are, {traps} with a trap: an
obvious act that is the wrong one. Each has a world of its own (a practice portal, connector services over HTTP, stored secrets), and a grader that looks at the portal and
at the answer: what must be so, what must be told, what must stay untouched and unsaid.

## With a model

Needs a key of the model's provider and its package, in the environment that `make evals` makes (inspect-ai brings much along, so it has its own):

```sh
make evals
build/evals/bin/inspect eval evals --model PROVIDER/MODEL
build/evals/bin/inspect eval evals --model PROVIDER/MODEL -T transport=http -T names=renamed_column,decimal_comma
build/evals/bin/inspect eval evals --model PROVIDER/MODEL -T toolsets=compact
```

## By hand

You sit in the assistant's place: the world and the session stay until you stop them. `--state FOLDER` after `by_hand` keeps several apart.

```sh
.venv/bin/python -m evals.by_hand start renamed_column
.venv/bin/python -m evals.by_hand tools dataset_diagnose
.venv/bin/python -m evals.by_hand call dataset_diagnose '{{"id": 3}}'
.venv/bin/python -m evals.by_hand resource bi://history
.venv/bin/python -m evals.by_hand answer "The column was renamed …"
.venv/bin/python -m evals.by_hand stop
```

## The gate

`make evals` plays a scripted solution of every task through inspect-ai, over standard input and output and some over HTTP, and fails when one is not solved, takes more calls than a
well-informed person, or reads more characters than `evals/budget.toml` allows. `make evals UPDATE=--update` rewrites the budget; read the difference before you commit it.

## The tasks

Before the first call a client reads {surface} characters of tools and instructions. The characters below are those of the tools' answers.

{table}
"""

_RUSSIAN = """\
# Задачи для ассистентов

Насколько хорошо ассистент справляется с этим сервером? В `evals/` лежат задачи: всего {count}, на русском {russian}, расплывчатых, как говорят люди, {vague}, с ловушкой {traps}
(очевидное действие в них ошибочно). У каждой свой мир (учебный портал, сервисы коннекторов по HTTP, сохранённые секреты) и проверка, которая смотрит на портал и на ответ: что
должно получиться, о чём нужно сказать, что нельзя трогать и показывать.

## С моделью

Нужны ключ поставщика модели и его пакет в окружении, которое создаёт `make evals` (inspect-ai приносит с собой много, поэтому окружение отдельное):

```sh
make evals
build/evals/bin/inspect eval evals --model PROVIDER/MODEL
build/evals/bin/inspect eval evals --model PROVIDER/MODEL -T transport=http -T names=renamed_column,decimal_comma
build/evals/bin/inspect eval evals --model PROVIDER/MODEL -T toolsets=compact
```

## Вручную

Вы занимаете место ассистента: мир и сеанс остаются, пока вы их не остановите. `--state FOLDER` после `by_hand` разделяет несколько сеансов.

```sh
.venv/bin/python -m evals.by_hand start renamed_column
.venv/bin/python -m evals.by_hand tools dataset_diagnose
.venv/bin/python -m evals.by_hand call dataset_diagnose '{{"id": 3}}'
.venv/bin/python -m evals.by_hand resource bi://history
.venv/bin/python -m evals.by_hand answer "Столбец переименовали …"
.venv/bin/python -m evals.by_hand stop
```

## Проверка

`make evals` проигрывает готовое решение каждой задачи через inspect-ai, через стандартные потоки и частью по HTTP. Проверка не проходит, если задача не решена, если вызовов больше, чем у
знающего человека, или если прочитано больше символов, чем разрешает `evals/budget.toml`. `make evals UPDATE=--update` переписывает этот файл; посмотрите разницу, прежде чем сохранить её.

## Список задач

До первого вызова клиент читает инструменты и указания: {surface} символов. Ниже указаны символы ответов инструментов.

{table}
"""

_ENGLISH_HEAD = (
    "task",
    "language",
    "kind",
    "calls of a person",
    "of the script",
    "characters",
    "by assistants: solved",
    "calls",
    "characters",
)
_RUSSIAN_HEAD = (
    "задача",
    "язык",
    "вид",
    "вызовы человека",
    "вызовы решения",
    "символы",
    "ассистенты: решено",
    "вызовы",
    "символы",
)


@dataclass(frozen=True)
class _Page:
    text: str
    head: tuple[str, ...]
    vague: str
    trap: str
    tried: str


_PAGES: Mapping[str, _Page] = {
    "reference/evals.md": _Page(_ENGLISH, _ENGLISH_HEAD, "vague", "trap", "{solved} of {count}"),
    "ru/reference/evals.md": _Page(_RUSSIAN, _RUSSIAN_HEAD, "расплывчатая", "ловушка", "{solved} из {count}"),
}


def evals_pages() -> dict[str, str]:
    """Build the page in both languages."""
    return {path: _fill(page) for path, page in _PAGES.items()}


def _fill(page: _Page) -> str:
    budget, played = load_budget(), load_played()
    every = TASKS.values()
    rows = [
        _row(
            page,
            task,
            budget.tasks.get(task.name, Cost(0, 0)),
            [one for one in played if one.task == task.name],
        )
        for task in every
    ]
    return page.text.format(
        count=len(every),
        russian=sum(task.language == "ru" for task in every),
        vague=sum(task.vague for task in every),
        traps=sum(task.tempting is not None for task in every),
        surface=f"{budget.surface.get('default', 0):,}",
        table=table(page.head, rows),
    )


def _row(page: _Page, task: Task, cost: Cost, played: list[Played]) -> Row:
    kinds = [*[page.vague] * task.vague, *[page.trap] * (task.tempting is not None)]
    shown = [
        f"`{task.name}`",
        task.language,
        ", ".join(kinds),
        str(task.calls),
        str(cost.calls),
        str(cost.characters),
    ]
    if not played:
        return (*shown, "", "", "")
    counted = [one.characters for one in played if one.characters is not None]
    solved = page.tried.format(solved=sum(one.solved for one in played), count=len(played))
    return (*shown, solved, _mean([one.calls for one in played]), _mean(counted))


def _mean(values: list[int]) -> str:
    return f"{sum(values) / len(values):.0f}" if values else ""
