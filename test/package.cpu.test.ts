import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What a stranger gets from the registry: packs the tarball and uses it from an empty folder. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_PACKED_BYTES = 3_000_000;
const BUILD_MS = 900_000;

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
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Installs the bare tarball as a stranger does; the addon is then built by the one documented command. */
function install(tarball: string): void {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  run('npm', ['install', ...flags, tarball], consumer);
  run('npx', ['framepack', 'build', '--no-cuda'], consumer);
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
    const before = readdirSync(consumer);
    importNames('framepack-node');
    expect(readdirSync(consumer)).toEqual(before);
  });

  test('the command line answers', () => {
    const main = join(consumer, 'node_modules', 'framepack-node', manifest.bin.framepack ?? '');
    expect(existsSync(main)).toBe(true);
    expect(run('node', [main, '--help'], consumer)).toContain('Usage: framepack');
  });
});

describe('used from an empty folder', { timeout: 120_000 }, () => {
  test('doctor finds a device that runs', () => {
    expect(run('npx', ['framepack', 'doctor'], consumer)).toMatch(/^ok +cpu /m);
  });

  test('a video is made', () => {
    const model = ['--model', join(ROOT, 'models/tiny-framepack')];
    const image = ['--image', join(ROOT, 'assets/picture-1.png')];
    const choices = ['--prompt', 'A yellow ring.', '--seconds', '1.2', '--steps', '1'];
    const args = ['generate', ...model, ...image, ...choices, '--out', 'a.mp4'];
    run('npx', ['framepack', ...args], consumer);
    expect(readdirSync(consumer)).toContain('a.mp4');
  });
});
