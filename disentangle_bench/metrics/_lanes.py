"""Vector instructions for `_cuts`: sums of eight trees at once."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 8


def adder(nodes: int) -> Any:
    """add(s, u, k, e, v, i): to s, u, k (nodes LANES) add e, its positive part, and 1, where each lane of v says.

    e, v (n LANES) are residuals and nodes; of these the LANES from i on. Written as vector instructions, for the
    compiler does not find them by itself.
    """

    @intrinsic
    def add(_, s, u, k, e, v, i):
        def emit(context, builder, signature, arguments):
            def place(argument, offset, vector):
                array = context.make_array(signature.args[argument])(context, builder, arguments[argument])
                return builder.bitcast(builder.gep(array.data, [offset]), vector.as_pointer())

            double, single, byte = (ir.VectorType(t, LANES) for t in (ir.DoubleType(), ir.FloatType(), ir.IntType(8)))
            zero, nought, one = (ir.Constant(t, [v] * LANES) for t, v in ((double, 0.0), (single, 0.0), (single, 1.0)))
            value = builder.load(place(3, arguments[5], double), align=8)
            at = builder.load(place(4, arguments[5], byte), align=1)
            up = builder.fptrunc(builder.select(builder.fcmp_ordered(">", value, zero), value, zero), single)
            for other in range(nodes):
                here = builder.icmp_unsigned("==", at, ir.Constant(byte, [other] * LANES))
                offset = ir.Constant(ir.IntType(64), other * LANES)
                for argument, term, none, align in (0, value, zero, 8), (1, up, nought, 4), (2, one, nought, 4):
                    total = place(argument, offset, term.type)
                    added = builder.fadd(builder.load(total, align=align), builder.select(here, term, none))
                    builder.store(added, total, align=align)
            return context.get_dummy_value()

        return types.none(s, u, k, e, v, types.int64), emit

    return add


def local(number: Any, size: int) -> Any:
    """Room on the stack for `size` numbers, which the compiler can keep in registers."""

    @intrinsic
    def room(_):
        def emit(context, builder, signature, arguments):
            numbers = ir.ArrayType(context.get_value_type(number), size)
            return builder.bitcast(cgutils.alloca_once(builder, numbers), context.get_value_type(signature.return_type))

        return types.CPointer(number)(), emit

    return room
