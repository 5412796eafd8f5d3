"""Arithmetic. It runs in a process of its own, so that an expression that is too much for it hurts nobody else."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from agents import Hands, Json
from agents.tools import Arguments
from domain.errors import ToolFailed

Number = int | float

LONGEST = 500
MOST_BITS = 4096
"""The largest whole number on the way, in bits: about 1233 digits."""
EXACT_IN_JSON = 2**53

_TWO: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ONE: Mapping[type[ast.unaryop], Callable[[Number], Number]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_CALLS: Mapping[str, Callable[..., Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "round": round,
    "sqrt": math.sqrt,
}
_NAMES: Mapping[str, Number] = {"pi": math.pi, "e": math.e}


class CalculateArguments(Arguments):
    """What to work out."""

    expression: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST,
            description="Numbers with + - * / // % **, brackets, abs, ceil, floor, log, max, min, round, sqrt, pi and e.",
        ),
    ]


class Calculate:
    """Changes nothing."""

    name = "calculate"
    description = "Work out an arithmetic expression; models are bad at sums."
    arguments = CalculateArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 10.0
    idempotent = True
    commits = False
    runs_in: Literal["worker", "process"] = "process"

    async def run(self, arguments: CalculateArguments, hands: Hands) -> Json:
        """The value: 15 digits of a fraction, whole numbers that JSON cannot hold as text. Raises ToolFailed with what is wrong."""
        value = worked_out(arguments.expression)
        if isinstance(value, float):
            return {"value": float(f"{value:.15g}")}
        return {"value": value if abs(value) <= EXACT_IN_JSON else str(value)}


def worked_out(expression: str) -> Number:
    """The value of an arithmetic expression. Raises ToolFailed when it is not one or has no value."""
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError) as error:
        raise ToolFailed(f"This is not an expression that has a value: {_first_line(error)}", field="expression") from None
    except (RecursionError, MemoryError):
        raise ToolFailed("The expression is nested too deeply.", field="expression") from None
    except ZeroDivisionError:
        raise ToolFailed("It divides by zero.", field="expression") from None
    except OverflowError:
        raise ToolFailed("A number on the way is too large.", field="expression") from None
    return value


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _within_bounds(value)
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _ONE:
            return _ONE[type(sign)](_value(operand))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _TWO:
            return _combined(sign, _value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _CALLS:
            return _within_bounds(_CALLS[name](*(_value(argument) for argument in arguments)))
        case _:
            raise ValueError("only numbers, + - * / // % **, brackets and the named functions can be used")


def _combined(sign: ast.operator, left: Number, right: Number) -> Number:
    if isinstance(sign, ast.Pow) and isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > MOST_BITS:
        raise OverflowError
    return _within_bounds(_TWO[type(sign)](left, right))


def _within_bounds(value: Number) -> Number:
    """Refuse what is too large on the way, what is not finite, and roots of negative numbers (which are complex)."""
    if not isinstance(value, int | float):
        raise ValueError("the result is not a real number")
    if (isinstance(value, int) and value.bit_length() > MOST_BITS) or not math.isfinite(value if isinstance(value, float) else 0):
        raise OverflowError
    return value


def _first_line(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return (text or type(error).__name__).splitlines()[0][:200]
