// The bugs, and what has to run to see whether they are caught.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const KERNELS = join(import.meta.dirname, '../..');

/** All mutants, or those with the given ids. */
export function readMutants(ids) {
  const mutants = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJson(join(import.meta.dirname, name)))
    .sort((a, b) => a.id.localeCompare(b.id));
  if (!ids) return mutants;
  const known = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  return ids.map((id) => {
    if (!known.has(id)) throw new Error(`--only: there is no mutant ${id}`);
    return known.get(id);
  });
}

/**
 * One trial per mutant, and one per compiled file and program without a bug over all cases that its mutants
 * use. A trial is { id, bug, expect, file, source, family, isProfile, cases, sources }.
 */
export function planTrials(mutants) {
  const sources = readSources();
  const trials = mutants.map((mutant) => ({
    ...mutant,
    source: compiledFile(mutant),
    isProfile: mutant.expect === 'memory ratio',
    cases: mutant.cases.flatMap((selector) => selectCases(mutant, selector)),
    sources: mutated(sources, mutant),
  }));
  const originals = new Map();
  for (const { source, family, isProfile, cases } of trials) {
    const id = `${source}${isProfile ? ' (profile)' : ''}`;
    const original = originals.get(id) ?? { id, source, family, isProfile, cases: [], sources };
    original.cases = [...new Set([...original.cases, ...cases])];
    originals.set(id, original);
  }
  return { originals: [...originals.values()], trials };
}

/** Everything that nvcc reads, by path within kernels/. Read once: edits meanwhile do not mix in. */
function readSources() {
  const names = readdirSync(KERNELS, { recursive: true });
  const read = names.filter((name) => /\.(cu|cuh|h)$/.test(name));
  return new Map(read.map((name) => [name, readFileSync(join(KERNELS, name), 'utf8')]));
}

function mutated(sources, { id, file, find, replace }) {
  const parts = (sources.get(file) ?? '').split(find);
  if (parts.length !== 2) {
    throw new Error(`${id}: kernels/${file} has its text ${parts.length - 1} times, not once`);
  }
  return new Map(sources).set(file, parts.join(replace));
}

/** A header is tried in the kernels of the mutant's family. */
function compiledFile({ file, family }) {
  return file.endsWith('.cu') ? file : `${family}/${family}.cu`;
}

/** The lines of the family's cases.json that have all fields of the selector. */
function selectCases({ id, family }, selector) {
  const fields = Object.entries(selector);
  const cases = casesOf(family).filter((item) =>
    fields.every(([key, value]) => JSON.stringify(item[key]) === JSON.stringify(value)),
  );
  if (cases.length === 0) throw new Error(`${id}: no case has ${JSON.stringify(selector)}`);
  return cases;
}

const caseFiles = new Map();

function casesOf(family) {
  if (!caseFiles.has(family)) {
    caseFiles.set(family, readJson(join(KERNELS, family, 'cases.json')));
  }
  return caseFiles.get(family).filter(({ error, bench }) => error === undefined && !bench);
}

/** The lines of the family's cases.json that state tolerances; the test program needs them beside the cases. */
export function toleranceLines(family) {
  casesOf(family);
  return caseFiles.get(family).filter(({ error }) => error !== undefined);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
