import { closest, distance } from 'fastest-levenshtein';
import type { core } from 'zod';
import { FramePackError, quote } from '../../errors.ts';

/** Edits that a name may be away from the one that was meant, as a share of its length. */
const MAX_TYPO = 0.4;

/**
 * What is wrong with a request: a field that does not exist, with the one that was probably meant, or the first field
 * whose value is not what it may be.
 *
 * @param expected - what each field may be, to follow `expected`.
 */
export function fieldError(
  request: unknown,
  issues: readonly core.$ZodIssue[],
  expected: Readonly<Record<string, string>>,
): FramePackError {
  // An unknown name first: it is often why another field is missing.
  const unknown = issues.find(
    (issue) => issue.code === 'unrecognized_keys' && issue.path.length === 0,
  );
  if (unknown?.code === 'unrecognized_keys') return unknownField(unknown.keys[0]!, expected);
  const field = issues[0]!.path.map(String).join('.');
  const [name = ''] = issues[0]!.path.map(String);
  const isWhole = name === '';
  const got = isWhole ? request : Reflect.get(request as object, name);
  const may = isWhole ? 'an object' : expected[name];
  const message = `generate: ${name || 'request'} expected ${may}, got ${quote(got)}`;
  return new FramePackError('ERR_ARGUMENT', message, { field });
}

function unknownField(field: string, expected: Readonly<Record<string, string>>): FramePackError {
  const meant = closestName(field, Object.keys(expected));
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  const message = `generate: request expected only known fields, got ${quote(field)}${hint}`;
  return new FramePackError('ERR_ARGUMENT', message, { field, ...(meant && { meant }) });
}

/** The name among several that was probably meant, or undefined when none is near. */
function closestName(name: string, names: readonly string[]): string | undefined {
  const nearest = closest(name, names);
  const limit = Math.max(1, Math.floor(MAX_TYPO * nearest.length));
  return distance(name.toLowerCase(), nearest.toLowerCase()) <= limit ? nearest : undefined;
}
