import { expect, test } from 'vitest';
import { matmulModel } from '../../../bench/rivals/onnx-model.ts';

type Field = [number: number, value: number | Buffer];

/** Fields of one message of the wire format (protobuf.dev/programming-guides/encoding). */
function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]!;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    if (tag % 8 === 0) found.push([tag >> 3, varint()]);
    else {
      const length = varint();
      found.push([tag >> 3, message.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

function only(message: Buffer, number: number): Buffer {
  const [, value] = fields(message).find(([field]) => field === number)!;
  return value as Buffer;
}

test('the model multiplies its input by the weight it holds', () => {
  const weight = Buffer.alloc(300 * 2 * 4, 7);
  const model = matmulModel(5, 300, 2, weight);
  expect(fields(model)[0]).toEqual([1, 8]);
  const graph = only(model, 7);
  const names = fields(only(graph, 1)).map(([field, value]) => [field, String(value)]);
  expect(names).toEqual([
    [1, 'a'],
    [1, 'w'],
    [2, 'c'],
    [4, 'MatMul'],
  ]);
  const tensor = only(graph, 5);
  const extents = fields(tensor).filter(([field]) => field === 1);
  expect(extents).toEqual([
    [1, 300],
    [1, 2],
  ]);
  expect(only(tensor, 9).equals(weight)).toBe(true);
});
