import { closest, distance } from 'fastest-levenshtein';
import type { core } from 'zod';
import { FramePackError, quote } from '../../errors.ts';

/** Edits that a name may be away from the one that was meant, as a share of its length. */
const MAX_TYPO = 0.4;

/** An object with fields as a user gave it. */
export interface CheckedInput {
  readonly operation: string;
  readonly given: unknown;
  readonly expected: Readonly<Record<string, string>>;
}

/**
 * What is wrong with a request: a field that does not exist, with the one that was probably meant, or the first field
 * whose value is not what it may be.
 *
 * @param input - what was given to which operation, and what each field may be, to follow the word `expected`.
 */
export function fieldError(
  { operation, given, expected }: CheckedInput,
  issues: readonly core.$ZodIssue[],
): FramePackError {
  // An unknown name first: it is often why another field is missing.
  const unknown = issues.find(
    (issue) => issue.code === 'unrecognized_keys' && issue.path.length === 0,
  );
  if (unknown?.code === 'unrecognized_keys') {
    return unknownField(operation, unknown.keys[0]!, expected);
  }
  const field = issues[0]!.path.map(String).join('.');
  const [name = ''] = issues[0]!.path.map(String);
  const isWhole = name === '';
  const got = isWhole ? given : Reflect.get(given as object, name);
  const may = isWhole ? 'an object' : expected[name];
  const message = `${operation}: ${name || 'request'} expected ${may}, got ${quote(got)}`;
  return new FramePackError('ERR_ARGUMENT', message, { field });
}

function unknownField(
  operation: string,
  field: string,
  expected: Readonly<Record<string, string>>,
): FramePackError {
  const meant = closestName(field, Object.keys(expected));
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  const message = `${operation}: request expected only known fields, got ${quote(field)}${hint}`;
  return new FramePackError('ERR_ARGUMENT', message, { field, ...(meant && { meant }) });
}

/** The name among several that was probably meant, or undefined when none is near. */
function closestName(name: string, names: readonly string[]): string | undefined {
  const nearest = closest(name, names);
  const limit = Math.max(1, Math.floor(MAX_TYPO * nearest.length));
  return distance(name.toLowerCase(), nearest.toLowerCase()) <= limit ? nearest : undefined;
}
