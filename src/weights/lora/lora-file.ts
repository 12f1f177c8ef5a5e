import { FramePackError } from '../../errors.ts';
import { decode, typedArray } from '../../tensor/dtype.ts';
import { sizeOf } from '../../tensor/shape.ts';
import type { TensorEntry } from '../files/safetensors-header.ts';
import { WeightFile } from '../files/weight-file.ts';
import { LoraAlpha } from './lora-alpha.ts';
import { LORA_FORMS, type LoraForm, type RoleShapes } from './lora-forms.ts';
import {
  type LoraModules,
  matrixShape,
  type NetworkLayout,
  type RowRange,
  withoutPrefixes,
} from './lora-modules.ts';
import { type LoraRole, REFUSED_SUFFIXES, ROLE_SUFFIXES } from './lora-names.ts';

const LISTED_NAMES = 4;

/** One change of one tensor of the network. */
export interface LoraChange {
  /** Name of the tensor in the network. */
  readonly tensor: string;
  readonly form: LoraForm;
  /** The tensors of the file that make it, by role. */
  readonly parts: ReadonlyMap<LoraRole, TensorEntry>;
  readonly shapes: RoleShapes;
  /** Rows of the change that this tensor takes, in its own order. */
  readonly rows: readonly RowRange[];
  /** Alpha over rank. */
  readonly scale: number;
}

/** A LoRA that fits a network. */
export interface MatchedLora {
  readonly file: string;
  readonly changes: readonly LoraChange[];
  /** Tensors of the file that belong to the network. */
  readonly numMatched: number;
  /** Names of those that belong to nothing in it. */
  readonly unmatched: readonly string[];
}

interface Module {
  readonly name: string;
  readonly parts: Map<LoraRole, TensorEntry>;
}

/**
 * Reads the header of a LoRA and matches it with a network; besides that only alphas are read.
 *
 * @param modules - of the network.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when the file is damaged, when none of its tensors belongs to the
 *   network, or when those that do have other shapes, no partner or no usable alpha; `ERR_UNSUPPORTED` for DoRA and
 *   other changes that are not merged.
 */
export function matchLora(path: string, network: NetworkLayout, modules: LoraModules): MatchedLora {
  const file = WeightFile.open(path);
  const alpha = new LoraAlpha(file.header.metadata, path);
  const { groups, strangers } = groupByModule(file);
  const unmatched = [...strangers];
  const changes: LoraChange[] = [];
  let numMatched = 0;
  for (const module of groups.values()) {
    const found = changesOf(module, { file, alpha, network, modules });
    if (found === null) {
      unmatched.push(...[...module.parts.values()].map(({ name }) => name));
      continue;
    }
    changes.push(...found);
    numMatched += module.parts.size;
  }
  if (changes.length === 0) throw nothingMatches(path, unmatched);
  return { file: path, changes, numMatched, unmatched };
}

function groupByModule({ path, header }: WeightFile): {
  groups: ReadonlyMap<string, Module>;
  strangers: readonly string[];
} {
  const groups = new Map<string, Module>();
  const strangers: string[] = [];
  for (const entry of header.tensors.values()) {
    const refused = REFUSED_SUFFIXES.find(([suffix]) => entry.name.endsWith(suffix));
    if (refused !== undefined) {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `lora: ${path}: expected LoRA, LoHa, LoKr or diff, got ${entry.name}: ${refused[1]}`,
        { file: path, tensor: entry.name },
      );
    }
    const known = ROLE_SUFFIXES.find(([suffix]) => entry.name.endsWith(suffix));
    if (known === undefined) {
      strangers.push(entry.name);
      continue;
    }
    const [suffix, role] = known;
    const name = entry.name.slice(0, -suffix.length);
    const group = groups.get(name) ?? { name, parts: new Map() };
    const other = group.parts.get(role);
    if (other !== undefined) {
      throw fault(path, `tensor ${entry.name} expected once, got ${other.name} too`, entry.name);
    }
    group.parts.set(role, entry);
    groups.set(name, group);
  }
  return { groups, strangers };
}

interface MatchContext {
  readonly file: WeightFile;
  readonly alpha: LoraAlpha;
  readonly network: NetworkLayout;
  readonly modules: LoraModules;
}

/** Null when the network has no such module. */
function changesOf(module: Module, context: MatchContext): LoraChange[] | null {
  const { file, alpha, network, modules } = context;
  const places = modules.find(module.name);
  if (places === undefined) return null;
  const present = LORA_FORMS.filter(({ roles }) => roles.some((role) => module.parts.has(role)));
  if (present.length === 0) {
    throw fault(
      file.path,
      `module ${module.name} expected a change, got only its alpha`,
      module.name,
    );
  }
  return present.flatMap((form) => {
    const parts = new Map([...module.parts].filter(([role]) => form.roles.includes(role)));
    const shapes = new Map([...parts].map(([role, { shape }]) => [role, matrixShape(shape)]));
    const layout = form.layout(shapes);
    if (layout === null) throw misfit(file.path, module.name, form, parts);
    const { rank } = layout;
    const stored = rank === null ? undefined : storedAlpha(module, file);
    const scale = rank === null ? 1 : alpha.scaleOf(withoutPrefixes(module.name), rank, stored);
    if (!Number.isFinite(scale) || scale === 0) {
      const text = `alpha of ${module.name} expected a number other than 0, got ${scale * (rank ?? 1)}`;
      throw fault(file.path, text, module.name);
    }
    const tensors = places.map((place) => `${place.module}.${form.parameter}`);
    checkShape(layout.shape, tensors, network, { file: file.path, module: module.name });
    return places.map(({ rows }, index) => {
      return { tensor: tensors[index]!, form, parts, shapes, rows, scale };
    });
  });
}

function checkShape(
  [rows, columns]: readonly [number, number],
  tensors: readonly string[],
  network: NetworkLayout,
  { file, module }: { readonly file: string; readonly module: string },
): void {
  const missing = tensors.find((name) => !network.has(name));
  if (missing !== undefined) {
    throw fault(file, `module ${module} expected ${missing} in the network, got none`, module);
  }
  const targets = tensors.map((name) => matrixShape(network.entryOf(name).shape));
  const expected = [targets.reduce((sum, [own]) => sum + own, 0), targets[0]![1]];
  if (rows === expected[0] && targets.every(([, width]) => width === columns)) return;
  const text = `module ${module} expected a change of [${expected.join(', ')}], got [${rows}, ${columns}]`;
  throw fault(file, `${text}: it was trained for another model`, module);
}

/** Alpha as a tensor of one value; undefined without one. */
function storedAlpha({ parts }: Module, file: WeightFile): number | undefined {
  const entry = parts.get('alpha');
  if (entry === undefined) return undefined;
  const { name, dtype, shape, storedType } = entry;
  if (dtype === null || storedType === 'F8_E5M2' || sizeOf(shape) !== 1) {
    const found = `${storedType} [${shape.join(', ')}]`;
    throw fault(file.path, `alpha ${name} expected one number, got ${found}`, name);
  }
  return decode(typedArray(dtype, file.readBytes(entry).buffer as ArrayBuffer), dtype)[0];
}

function misfit(
  file: string,
  module: string,
  form: LoraForm,
  parts: ReadonlyMap<LoraRole, TensorEntry>,
): FramePackError {
  const found = [...parts].map(([role, { shape }]) => `${role} [${shape.join(', ')}]`).join(', ');
  const expected = `${form.roles.join(', ')} that fit each other`;
  return fault(file, `module ${module} expected ${form.name}: ${expected}, got ${found}`, module);
}

function nothingMatches(file: string, unmatched: readonly string[]): FramePackError {
  const names = unmatched.slice(0, LISTED_NAMES).join(', ') || 'no tensors';
  const text = `expected tensors for this transformer, got none among ${unmatched.length}: ${names}`;
  return fault(file, text, unmatched[0] ?? '');
}

function fault(file: string, text: string, tensor: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `lora: ${file}: ${text}`, { file, tensor });
}
