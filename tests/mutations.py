"""Small mistakes in the source of a function, one at a time: signs, factors, axes, bounds, sums for
means, terms left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitOr: (ast.BitAnd,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NAMES = {
    "sum": ("mean", "max"),
    "fsum": ("max", "len"),
    "mean": ("sum", "median"),
    "fmean": ("sum", "median"),
    "log": ("log2", "log10", "exp"),
    "log_softmax": ("softmax",),
    "softmax": ("log_softmax",),
    "exp": ("log",),
    "max": ("min",),
    "min": ("max",),
    "argmax": ("argmin",),
    "tril": ("triu",),
    "var": ("std",),
    "stdev": ("pstdev", "variance"),
    "square": ("abs",),
    "sqrt": ("exp",),
    "int": ("round", "float"),
    "round": ("int",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "topk": ("sort",),
    "reversed": ("list",),
    "sorted": ("list",),
    "all": ("any",),
    "any": ("all",),
    "cumsum": ("cumprod",),
    "abs": ("float",),
}
Place = tuple[ast.AST, str, int | None]


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield what was changed, and the source with that change alone."""
    seen = {ast.unparse(ast.parse(source))}
    for number, _ in enumerate(ast.walk(ast.parse(source))):
        for variant in range(len(variants(nth(ast.parse(source), number)))):
            tree = ast.parse(source)
            node = nth(tree, number)
            before = ast.unparse(node)
            after = variants(node)[variant]
            changed = ast.unparse(replaced(tree, node, after))
            if changed not in seen:
                seen.add(changed)
                yield f"{before} → {ast.unparse(after)}", changed


def nth(tree: ast.AST, number: int) -> ast.AST:
    for place, node in enumerate(ast.walk(tree)):
        if place == number:
            return node
    raise IndexError(number)


def replaced(tree: ast.AST, node: ast.AST, other: ast.AST) -> ast.AST:
    """The tree with `other` in the place of `node`."""

    class Replace(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return other if visited is node else self.generic_visit(visited)

    return ast.fix_missing_locations(Replace().visit(tree))


def variants(node: ast.AST) -> list[ast.AST]:
    """What may stand in the place of a node of an expression."""
    if isinstance(node, ast.BinOp):
        return [*operators(node, "op"), node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return operators(node, "op")
    if isinstance(node, ast.BoolOp):
        return [*operators(node, "op"), *node.values]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return [with_field(node, "ops", [kind()]) for kind in OPERATORS.get(type(node.ops[0]), ())]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Constant):
        return constants(node)
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.If):
        return [with_field(node, "test", ast.Constant(value)) for value in (True, False)]
    if isinstance(node, ast.Call):
        return calls(node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return [node.value]
    return []


def operators(node: ast.BinOp | ast.AugAssign | ast.BoolOp, name: str) -> list[ast.AST]:
    return [with_field(node, name, kind()) for kind in OPERATORS.get(type(node.op), ())]


def constants(node: ast.Constant) -> list[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int | float):
        return [ast.Constant(other) for other in (value + 1, value - 1, -value) if other != value]
    return []


def calls(node: ast.Call) -> list[ast.AST]:
    """Another function of the same kind; without a keyword; or without the call at all."""
    found: list[ast.AST] = []
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    for other in NAMES.get(str(name), ()):
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        found.append(with_field(node, "func", with_field(node.func, field, other)))
    for place in range(len(node.keywords)):
        kept = node.keywords[:place] + node.keywords[place + 1 :]
        found.append(with_field(node, "keywords", kept))
    if isinstance(node.func, ast.Attribute):
        found.append(node.func.value)
    elif len(node.args) == 1:
        found.append(node.args[0])
    return found


def with_field(node: ast.AST, name: str, value: object) -> ast.AST:
    changed = copy.copy(node)
    setattr(changed, name, value)
    return changed
