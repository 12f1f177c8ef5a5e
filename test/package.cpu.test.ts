import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What a stranger gets from the registry: packs the tarball and uses it from an empty folder. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_PACKED_BYTES = 3_000_000;

interface PackedFile {
  readonly path: string;
}
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly PackedFile[];
}
interface Manifest {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | { types: string; default: string }>;
  readonly dependencies: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const folder = mkdtempSync(join(tmpdir(), 'framepack-package-'));
const consumer = join(folder, 'consumer');
let packed: Packed;

beforeAll(() => {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [entry] = JSON.parse(run('npm', args, ROOT)) as [Packed];
  packed = entry;
  install(join(folder, packed.filename));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Unpacks the tarball as an installed package with its run-time dependencies and a locally built addon. */
function install(tarball: string): void {
  const target = join(consumer, 'node_modules', 'framepack-node');
  mkdirSync(target, { recursive: true });
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target], folder);
  const addon = 'build/Release/framepack.node';
  cpSync(join(ROOT, addon), join(target, addon));
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(consumer, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8' });
}

function importNames(specifier: string): string[] {
  const script = `console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`;
  return JSON.parse(run('node', ['--input-type=module', '--eval', script], consumer)) as string[];
}

describe('the tarball', () => {
  test('holds every file that package.json points at', () => {
    const faces = Object.values(manifest.exports).flatMap((face) =>
      typeof face === 'string' ? [face] : [face.types, face.default],
    );
    const wanted = [...faces, ...Object.values(manifest.bin)].map((file) => file.replace('./', ''));
    const paths = new Set(packed.files.map((file) => file.path));
    expect(wanted.filter((file) => !paths.has(file))).toEqual([]);
  });

  test('holds what a build from source needs', () => {
    const { variables } = JSON.parse(readFileSync(join(ROOT, 'native/sources.gypi'), 'utf8')) as {
      variables: Record<string, string[]>;
    };
    const lists = [
      'addon_sources',
      'engine_sources',
      'neon_sources',
      'avx2_sources',
      'avx512_sources',
      'amx_sources',
    ];
    const sources = lists.flatMap((name) => variables[name] ?? []);
    const wanted = ['CMakeLists.txt', 'binding.gyp', 'native/sources.gypi', 'LICENSE', ...sources];
    const paths = new Set(packed.files.map((file) => file.path));
    expect(wanted.filter((file) => !paths.has(file))).toEqual([]);
  });

  test('holds no tests, checkpoints or build results, and stays small', () => {
    const strangers = packed.files
      .map((file) => file.path)
      .filter((path) =>
        /^(test|models|assets|build|bench|\.ci)\/|\.(node|o|safetensors)$/.test(path),
      );
    expect(strangers).toEqual([]);
    expect(packed.size).toBeLessThan(MAX_PACKED_BYTES);
  });
});

describe('imported from an empty folder', () => {
  test('every entry loads and exports something', () => {
    const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
    const silent = entries.filter((entry) => {
      return importNames(entry.replace('.', 'framepack-node')).length === 0;
    });
    expect(silent).toEqual([]);
  });

  test('importing leaves nothing behind', () => {
    importNames('framepack-node');
    expect(readdirSync(consumer)).toEqual(['node_modules']);
  });

  test('the command line answers', () => {
    const main = join(consumer, 'node_modules', 'framepack-node', manifest.bin.framepack ?? '');
    expect(existsSync(main)).toBe(true);
    expect(run('node', [main, '--help'], consumer)).toContain('Usage: framepack');
  });
});
