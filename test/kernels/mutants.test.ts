import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * The bugs of `npm run test:mutants` still fit the kernels. Whether they are caught needs nvcc; that they
 * can be planted does not.
 */
const KERNELS = fileURLToPath(new URL('../../kernels/', import.meta.url));
const FOLDER = `${KERNELS}test/mutants/`;
const EXPECTATIONS = ['diagnosed', 'wrong result', 'memory ratio', 'neutral'];
const FEWEST_MUTANTS = 55;
const FEWEST_CAUGHT = 52;

type Selector = Readonly<Record<string, unknown>>;

interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly bug: string;
  readonly find: string;
  readonly replace: string;
  readonly family: string;
  readonly cases: readonly Selector[];
  readonly expect: string;
  readonly why?: string;
}

const mutants = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => readJson<Mutant>(`${FOLDER}${name}`));

function readJson<Row>(file: string): Row[] {
  return JSON.parse(readFileSync(file, 'utf8')) as Row[];
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Neither a line of tolerances nor a case for benchmarks, and with all fields of the selector. */
function isSelected(item: Selector, selector: Selector): boolean {
  if (item.error !== undefined || item.bench === true) return false;
  return Object.entries(selector).every(
    ([key, value]) => JSON.stringify(item[key]) === JSON.stringify(value),
  );
}

describe('the mutants of the kernels', () => {
  test('are as many as promised, most of them to be caught', () => {
    const caught = mutants.filter((mutant) => mutant.expect !== 'neutral');
    expect(mutants.length).toBeGreaterThanOrEqual(FEWEST_MUTANTS);
    expect(caught.length).toBeGreaterThanOrEqual(FEWEST_CAUGHT);
  });

  test('have ids of their own', () => {
    const ids = mutants.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  test.each(mutants)('$id fits the kernels: $bug', (mutant) => {
    const source = readFileSync(`${KERNELS}${mutant.file}`, 'utf8');
    expect(occurrences(source, mutant.find)).toBe(1);
    expect(mutant.replace).not.toBe(mutant.find);
    expect(existsSync(`${KERNELS}${mutant.family}/${mutant.family}.cu`)).toBe(true);
  });

  test.each(mutants)('$id says which cases catch it, and how', (mutant) => {
    const cases = readJson<Selector>(`${KERNELS}${mutant.family}/cases.json`);
    const idle = mutant.cases.filter(
      (selector) => !cases.some((item) => isSelected(item, selector)),
    );
    expect(idle).toEqual([]);
    expect(mutant.cases.length > 0).toBe(mutant.expect !== 'memory ratio');
    expect(EXPECTATIONS).toContain(mutant.expect);
    expect(mutant.bug).not.toBe('');
    expect(mutant.why !== undefined).toBe(mutant.expect === 'neutral');
  });
});
