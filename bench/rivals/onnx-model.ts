/** Just enough of ONNX (onnx.proto3, IR version 8, operator set 13) for one MatMul with a constant operand. */
const FLOAT = 1;
const IR_VERSION = 8;
const OPERATOR_SET = 13;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Model `c = a w` in f32: `a` `[M, K]`, `w` `[K, N]` as little-endian bytes. */
export function matmulModel(m: number, k: number, n: number, w: Uint8Array): Buffer {
  const node = message(1, text(1, 'a'), text(1, 'w'), text(2, 'c'), text(4, 'MatMul'));
  const weight = message(
    5,
    integer(1, k),
    integer(1, n),
    integer(2, FLOAT),
    text(8, 'w'),
    bytes(9, w),
  );
  const graph = message(
    7,
    node,
    text(2, 'matmul'),
    weight,
    value(11, 'a', [m, k]),
    value(12, 'c', [m, n]),
  );
  const operators = message(8, text(1, ''), integer(2, OPERATOR_SET));
  return Buffer.concat([integer(1, IR_VERSION), graph, operators]);
}

function value(field: number, name: string, shape: readonly number[]): Buffer {
  const dimensions = shape.map((size) => message(1, integer(1, size)));
  const tensorType = message(1, integer(1, FLOAT), message(2, ...dimensions));
  return message(field, text(1, name), message(2, tensorType));
}

function varint(number: number): Buffer {
  const groups: number[] = [];
  let rest = number;
  for (; rest > 127; rest = Math.floor(rest / 128)) groups.push((rest % 128) | 128);
  return Buffer.from([...groups, rest]);
}

function integer(field: number, number: number): Buffer {
  return Buffer.concat([varint(field * 8 + VARINT), varint(number)]);
}

function bytes(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + LENGTH_DELIMITED), varint(content.length), content]);
}

function text(field: number, content: string): Buffer {
  return bytes(field, Buffer.from(content));
}

function message(field: number, ...parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}
