"""The tasks for inspect-ai: `inspect eval evals --model PROVIDER/MODEL`. Needs the environment build/evals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inspect_ai import Task as Evaluation
from inspect_ai import task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageTool, ChatMessageUser
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import MCPServer, mcp_server_http, mcp_server_stdio
from mcp import Client

from bi_mcp.config import read_settings
from bi_mcp.server.build import build_server
from evals.grading import grade, read_objects
from evals.inspection.scripted import SCRIPTED, Part, playing
from evals.session import Surface, Transport, read_surface, serving_http
from evals.task import Known
from evals.tasks import TASKS
from evals.world import World, open_world, server_command

__all__ = ["SCRIPTED", "bi_mcp"]

# An assistant that needs more does not find its way.
_MOST_MESSAGES = 100
_ROLE = "You are an assistant for the people who look after BI reports in Bitrix24. Use the tools; answer in the language of the user. "


@task
def bi_mcp(transport: Transport = "stdio", toolsets: str = "", names: str = "") -> Evaluation:
    """All tasks, or those of `names`, separated by commas; `toolsets` as BI_MCP_TOOLSETS."""
    chosen = names.split(",") if names else list(TASKS)
    samples = [Sample(id=name, input=TASKS[name].says, metadata=_describe(name)) for name in chosen]
    return Evaluation(
        dataset=MemoryDataset(samples),
        solver=work_in_world(transport, toolsets),
        scorer=[solved(), calls_per_person(), characters()],
        message_limit=_MOST_MESSAGES,
    )


def _describe(name: str) -> dict[str, object]:
    one = TASKS[name]
    return {
        "language": one.language,
        "vague": one.vague,
        "trap": one.tempting is not None,
        "calls": one.calls,
    }


@solver
def work_in_world(transport: Transport, toolsets: str) -> Solver:
    """Build the world of a sample, let the model work in it, and judge before it is taken down."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        one = TASKS[str(state.sample_id)]
        settings = {**one.settings, **({"BI_MCP_TOOLSETS": toolsets} if toolsets else {})}
        async with open_world(one.build, one.language, settings) as world:
            before = await read_objects(world)
            surface = await _look(world)
            state.messages = [
                ChatMessageSystem(content=_ROLE + surface.instructions),
                ChatMessageUser(content=one.message(world)),
            ]
            async with _connected(world, transport) as server:
                state.tools = await server.tools()
                with playing(Part(one.solve(Known(world, surface.tools)))):
                    state = await generate(state)
            found = await grade(one, world, before, state.output.completion)
        answers = [message.text for message in state.messages if isinstance(message, ChatMessageTool)]
        state.store.set("faults", list(found.faults))
        state.store.set("calls", len(answers))
        state.store.set("characters", sum(map(len, answers)))
        state.store.set("surface", surface.characters)
        return state

    return solve


async def _look(world: World) -> Surface:
    # The same server in this process: inspect-ai tells neither its instructions nor the whole of its tools.
    async with Client(build_server(read_settings(world.server_environment()))) as client:
        return await read_surface(client)


@asynccontextmanager
async def _connected(world: World, transport: Transport) -> AsyncIterator[MCPServer]:
    if transport == "http":
        async with serving_http(world) as address, mcp_server_http(name="bi-mcp", url=address) as server:
            yield server
        return
    command, *arguments = server_command()
    started = mcp_server_stdio(name="bi-mcp", command=command, args=arguments, env=world.server_environment())
    async with started as server:
        yield server


@scorer(metrics=[accuracy()])
def solved() -> Scorer:
    """Score whether the portal is as it should be and the answer tells what it must."""

    async def score(state: TaskState, target: Target) -> Score:
        faults = state.store.get("faults", ["The world was not built."])
        return Score(
            value=INCORRECT if faults else CORRECT,
            explanation="\n".join(faults),
            answer=state.output.completion,
        )

    return score


@scorer(metrics=[mean()])
def calls_per_person() -> Scorer:
    """Score the calls as a multiple of those of a well-informed person."""

    async def score(state: TaskState, target: Target) -> Score:
        calls = state.store.get("calls", 0)
        return Score(value=calls / TASKS[str(state.sample_id)].calls, metadata={"calls": calls})

    return score


@scorer(metrics=[mean()])
def characters() -> Scorer:
    """Score the characters that were read: answers of tools, the list of tools and the instructions."""

    async def score(state: TaskState, target: Target) -> Score:
        answers, surface = state.store.get("characters", 0), state.store.get("surface", 0)
        return Score(value=answers + surface, metadata={"answers": answers, "surface": surface})

    return score
