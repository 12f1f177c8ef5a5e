import { describe, expect, it } from 'vitest';
import { FramePackError } from '../../../src/errors.ts';
import { type JsonScanOptions, scanJson } from '../../../src/weights/files/json-scanner.ts';

const scan = (text: string, numbers: JsonScanOptions['numbers'] = 'unsigned') =>
  scanJson(text, { source: 'header of a.safetensors', numbers });

describe('scanJson', () => {
  it('reads what JSON.parse reads', () => {
    expect(scan(' [1, "a", true, false, null, [], {}] \n')).toEqual([
      1,
      'a',
      true,
      false,
      null,
      [],
      new Map(),
    ]);
    expect(scan('{"a\\u0041\\n\\"":[0,9007199254740991]}')).toEqual(
      new Map([['aA\n"', [0, Number.MAX_SAFE_INTEGER]]]),
    );
    expect(scan('[-1.5e2, 1.0]', 'any')).toEqual([-150, 1]);
  });

  it('has no special keys', () => {
    const root = scan('{"__proto__":{"polluted":1},"constructor":2}') as ReadonlyMap<
      string,
      unknown
    >;
    expect([...root.keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    ['{"a":1,"a":2}', 'each key once ("a" is repeated) at character 7'],
    ['{"a":1,"\\u0061":2}', 'each key once ("a" is repeated)'],
    ['[1e3]', 'an unsigned integer up to 2^53 - 1'],
    ['[1.0]', 'an unsigned integer'],
    ['[-1]', 'an unsigned integer'],
    ['[-0]', 'an unsigned integer'],
    ['[9007199254740993]', 'an unsigned integer'],
    ['[01]', '"," or "]" at character 2'],
    ['[1,]', 'a member after ","'],
    ['{"a":1,}', 'a member after ","'],
    ['[1 2]', '"," or "]"'],
    ['{a:1}', 'a key in double quotes'],
    ['{"a" 1}', '":"'],
    ['{"a":}', 'a JSON value'],
    ['["a', 'a closed string'],
    ['["a\n"]', 'a closed string without control characters at character 3'],
    ['["\\x"]', 'a string with valid escapes'],
    ['["\\', 'a closed string'],
    ['', 'a JSON value at character 0, got the end of the text'],
    ['{} x', 'the end of the text at character 3, got "x"'],
    [`${'['.repeat(1_000_000)}`, 'at most 32 nested brackets at character 32'],
  ])('refuses %j', (text, message) => {
    expect(() => scan(text.slice(0))).toThrow(FramePackError);
    expect(() => scan(text)).toThrow(message);
  });

  it('takes 32 nested brackets', () => {
    expect(() => scan('['.repeat(32) + ']'.repeat(32))).not.toThrow();
  });
});
