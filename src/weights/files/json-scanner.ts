import { FramePackError, quote } from '../../errors.ts';

/** An object of a scanned document: a Map, so that no key (`__proto__`, `constructor`) is special. */
type JsonObject = ReadonlyMap<string, JsonValue>;

/** A value of a scanned document. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** What the scanner names in its errors and which numbers it lets through. */
export interface JsonScanOptions {
  /** The document, as an error message should name it. */
  readonly source: string;
  /** `unsigned`: digits only and at most 2^53 - 1, nothing that a double would round; `any`: all of JSON. */
  readonly numbers: 'unsigned' | 'any';
}

const MAX_DEPTH = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS: ReadonlyArray<readonly [string, boolean | null]> = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Parses untrusted JSON more strictly than `JSON.parse`: a repeated key, a number that is not exact and nesting
 * deeper than 32 are errors instead of silent choices. Linear in the text, one pass.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` with the position of the fault.
 * @see RFC 8259
 */
export function scanJson(text: string, options: JsonScanOptions): JsonValue {
  const scanner = new JsonScanner(text, options);
  return scanner.document(() => scanner.value(0));
}

/**
 * {@link scanJson} for a document that is one object: members are handed over one by one, so that a document with a
 * million of them is never held twice.
 */
export function scanJsonMembers(
  text: string,
  options: JsonScanOptions,
  visit: (key: string, value: JsonValue) => void,
): void {
  const scanner = new JsonScanner(text, options);
  scanner.document(() => scanner.object(1, visit));
}

class JsonScanner {
  private position = 0;
  private readonly text: string;
  private readonly options: JsonScanOptions;

  constructor(text: string, options: JsonScanOptions) {
    this.text = text;
    this.options = options;
  }

  document<T>(root: () => T): T {
    this.skipSpace();
    const value = root();
    this.skipSpace();
    if (this.position < this.text.length) this.fail('the end of the text');
    return value;
  }

  value(depth: number): JsonValue {
    this.skipSpace();
    switch (this.text[this.position]) {
      case '{':
        return this.object(depth + 1, (_, value) => value);
      case '[':
        return this.array(depth + 1);
      case '"':
        return this.string();
      case 't':
      case 'f':
      case 'n':
        return this.literal();
      default:
        return this.number();
    }
  }

  object<T>(depth: number, convert: (key: string, value: JsonValue) => T): Map<string, T> {
    const entries = new Map<string, T>();
    this.open('{', depth);
    while (!this.closes('}', entries.size === 0)) {
      if (this.text[this.position] !== '"') this.fail('a key in double quotes');
      const start = this.position;
      const key = this.string();
      if (entries.has(key)) {
        this.position = start;
        this.fail(`each key once (${quote(key)} is repeated)`);
      }
      this.skipSpace();
      if (this.text[this.position] !== ':') this.fail('":"');
      this.position += 1;
      entries.set(key, convert(key, this.value(depth)));
    }
    return entries;
  }

  private array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.open('[', depth);
    while (!this.closes(']', items.length === 0)) items.push(this.value(depth));
    return items;
  }

  private open(bracket: string, depth: number): void {
    if (this.text[this.position] !== bracket) this.fail(`"${bracket}"`);
    if (depth > MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} nested brackets`);
    this.position += 1;
  }

  /** Steps over the closing bracket (true) or over the comma before the next member (false). */
  private closes(bracket: string, isFirst: boolean): boolean {
    this.skipSpace();
    const next = this.text[this.position];
    if (next === bracket) {
      this.position += 1;
      return true;
    }
    if (isFirst) return false;
    if (next !== ',') this.fail(`"," or "${bracket}"`);
    this.position += 1;
    this.skipSpace();
    if (this.text[this.position] === bracket) this.fail('a member after ","');
    return false;
  }

  private string(): string {
    const start = this.position;
    let isEscaped = false;
    let end = start + 1;
    for (; ; end++) {
      const code = this.text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        isEscaped = true;
        end += 1;
      } else if (!(code >= FIRST_PRINTABLE)) {
        this.position = Math.min(end, this.text.length);
        this.fail('a closed string without control characters');
      }
    }
    this.position = end + 1;
    if (!isEscaped) return this.text.slice(start + 1, end);
    try {
      return JSON.parse(this.text.slice(start, end + 1)) as string;
    } catch {
      this.position = start;
      return this.fail('a string with valid escapes');
    }
  }

  private number(): number {
    const start = this.position;
    NUMBER.lastIndex = start;
    if (!NUMBER.test(this.text)) return this.fail('a JSON value');
    const digits = this.text.slice(start, NUMBER.lastIndex);
    const number = Number(digits);
    if (
      this.options.numbers === 'unsigned' &&
      !(Number.isSafeInteger(number) && isDigits(digits))
    ) {
      this.fail('an unsigned integer up to 2^53 - 1');
    }
    this.position = NUMBER.lastIndex;
    return number;
  }

  private literal(): boolean | null {
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.position)) {
        this.position += word.length;
        return value;
      }
    }
    return this.fail('a JSON value');
  }

  private skipSpace(): void {
    for (; ; this.position++) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  private fail(expected: string): never {
    const rest = this.text.slice(this.position, this.position + 20);
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${this.options.source} expected ${expected} at character ${this.position}, got ${
        rest === '' ? 'the end of the text' : quote(rest)
      }`,
      { source: this.options.source, position: this.position },
    );
  }
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
