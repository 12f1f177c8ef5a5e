import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * The rules of the house that no other tool checks. Every test collects the offending places, so that a
 * failure names each of them.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE_FOLDERS = ['src', 'native', 'kernels', 'test', 'bench', 'examples', 'docs'];
const SOURCE_EXTENSIONS = new Set(['.ts', '.tsx', '.mjs', '.h', '.cc', '.cu', '.cuh']);
const OPS = [
  ...['matmul', 'attention', 'norm', 'rope', 'conv3d'],
  ...['patchify', 'elementwise', 'reduce', 'copy', 'gather'],
  ...['scan', 'ggml'],
];
/** Files of operations that are made of the families above and have no kernel of their own. */
const COMPOSED_OPS = ['linear', 'conv', 'indexing', 'interpolate', 'softmax', 'pixels'];

const sources = SOURCE_FOLDERS.flatMap(filesUnder).filter((file) =>
  SOURCE_EXTENSIONS.has(extname(file)),
);
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const lineCount = (file: string): number => text(file).split('\n').length - 1;
const within = (...folders: string[]): string[] =>
  sources.filter((file) => folders.some((folder) => file.startsWith(`${folder}/`)));

function filesUnder(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.startsWith('test/fixtures/'));
}

/** Lines matching a pattern, as `file:line: text`. */
function matches(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    text(file)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

describe('walls between folders', () => {
  test('N-API stays in native/addon', () => {
    const outside = within('native', 'kernels').filter((file) => !file.startsWith('native/addon/'));
    expect(matches(outside, /#include\s*[<"](napi|node_api|js_native_api)\w*\.h/)).toEqual([]);
  });

  test('no CUDA header is needed to build the host side', () => {
    const host = [
      ...within('native').filter((file) => !file.endsWith('.cu')),
      ...within('kernels').filter((file) => /\.(h|cc)$/.test(file)),
    ];
    const header =
      /#include\s*(<(cuda|nv)|["<](cuda|cuda_\w*(runtime|api|fp16|bf16|fp8)\w*|cooperative_groups|device_launch\w*|mma)\.h)/;
    expect(matches(host, header)).toEqual([]);
  });

  test('inline PTX stays in kernels/device', () => {
    const others = within('kernels').filter((file) => !file.startsWith('kernels/device/'));
    expect(matches(others, /\basm\s*(volatile)?\s*\(/)).toEqual([]);
  });

  test('index.ts and entry/ only re-export', () => {
    const faces = sources.filter(
      (file) => file === 'src/index.ts' || file.startsWith('src/entry/'),
    );
    const statements = faces.flatMap((file) =>
      text(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .split(';')
        .map((statement) => statement.trim())
        .filter((s) => s !== '' && !/^export (type )?\{[^}]*\} from '[^']+'$/.test(s))
        .map((statement) => `${file}: ${statement}`),
    );
    expect(statements).toEqual([]);
  });

  test('networks never import each other', () => {
    const crossings = within('src/models').flatMap((file) => {
      const network = file.split('/')[2] ?? '';
      const others = networks().filter((other) => other !== network);
      const isOwnFolder = networks().includes(network);
      return isOwnFolder
        ? matches([file], new RegExp(`from '(\\.\\./)+(${others.join('|')})/`))
        : [];
    });
    expect(crossings).toEqual([]);
  });
});

const isOperation = (name: string): boolean => [...OPS, ...COMPOSED_OPS].includes(name);

function networks(): string[] {
  return readdirSync(join(ROOT, 'src/models'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

describe('sizes', () => {
  test('no file is longer than 400 lines', () => {
    const long = sources.filter((file) => lineCount(file) > 400);
    expect(long.map((file) => `${file}: ${lineCount(file)}`)).toEqual([]);
  });

  // The operation families count as one unit: they are the index that everybody already knows.
  test('a folder has at most ten units', () => {
    const units = new Map<string, Set<string>>();
    for (const file of sources) {
      const name = basename(file).replace(/\..*$/, '');
      if (name === 'index') continue;
      const names = units.get(dirname(file)) ?? new Set();
      units.set(dirname(file), names.add(isOperation(name) ? '<operations>' : name));
    }
    const crowded = [...units].filter(([, names]) => names.size > 10);
    expect(crowded.map(([folder, names]) => `${folder}: ${[...names].join(' ')}`)).toEqual([]);
  });

  // Code lines: comments and blank lines are free, so that no documentation is traded for room, and tests
  // do not count. `src` is the whole generator with five networks, tokenizers, media, checkpoint
  // formats, GGUF and LoRA, downloads, conversion of weights, models found by repository, plan, rehearsal and estimate of
  // memory, work and time, jobs that resume, any packing schedule, machine examination, and command line. The virtual driver executes a few hundred forms of instruction and checks every access; it and the kernels
  // of each instruction set are programs of their own, so that their size hides nothing of the rest.
  test.each([
    { folder: 'src', except: [], budget: 21_900 },
    { folder: 'kernels', except: [], budget: 8000 },
    { folder: 'native', except: ['native/cpu/isa/', 'native/sim/'], budget: 7000 },
    { folder: 'native/cpu/isa', except: [], budget: 3000 },
    { folder: 'native/sim', except: [], budget: 7500 },
  ])('$folder keeps its budget of $budget lines', ({ folder, except, budget }) => {
    const counted = within(folder)
      .filter((file) => !except.some((part) => file.startsWith(part)))
      .filter((file) => !file.includes('/test/'));
    const total = counted.reduce((sum, file) => sum + codeLineCount(file), 0);
    expect(total).toBeLessThanOrEqual(budget);
  });
});

function codeLineCount(file: string): number {
  const isCode = (line: string): boolean => !/^\s*($|\/\/|\/?\*)/.test(line);
  return text(file).split('\n').filter(isCode).length;
}

describe('names', () => {
  test('no file name says nothing', () => {
    const banned = /^(utils?|helpers?|common|misc|types|manager|base)\./;
    const nameless = sources.filter((file) => banned.test(basename(file)));
    expect(nameless.filter((file) => !file.startsWith('kernels/'))).toEqual([]);
  });

  test('a test file names its tier or is a unit test', () => {
    const tests = within('test').filter((file) => file.endsWith('.test.ts'));
    const strange = tests.filter(
      (file) => !/^[\w-]+(\.(cpu|sim|gpu))?\.test\.ts$/.test(basename(file)),
    );
    expect(strange).toEqual([]);
  });

  test('every operation has its places, and no place has another', () => {
    const missing = OPS.flatMap((op) =>
      placesOf(op).filter((place) => !existsSync(join(ROOT, place))),
    );
    const untested = OPS.filter((op) => testsOf(`src/ops/${op}.ts`).length === 0);
    const strangers = readdirSync(join(ROOT, 'kernels'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .filter((entry) => ![...OPS, 'device', 'test'].includes(entry.name))
      .map((entry) => `kernels/${entry.name}`);
    expect({ missing, untested, strangers }).toEqual({ missing: [], untested: [], strangers: [] });
  });
});

function placesOf(op: string): string[] {
  const kernel = `kernels/${op}`;
  return [
    `src/ops/${op}.ts`,
    ...[`${op}_args.h`, `${op}_ref.cc`, `${op}.cu`, 'cases.json'].map(
      (name) => `${kernel}/${name}`,
    ),
    `native/addon/bind/${op}.cc`,
    `native/cpu/${op}.cc`,
    `native/cuda/ops/${op}.cc`,
  ];
}

/** The mirrored tests of a source file: `src/a/b.ts` has `test/a/b.test.ts` or `test/a/b.<tier>.test.ts`. */
function testsOf(source: string): string[] {
  const mirror = source.replace(/^src\//, 'test/').replace(/\.tsx?$/, '');
  return ['', '.cpu', '.sim', '.gpu']
    .map((tier) => `${mirror}${tier}.test.ts`)
    .filter((file) => existsSync(join(ROOT, file)));
}

describe('completeness', () => {
  test('every source file with run-time code has a mirrored test', () => {
    const hasRuntimeCode = (file: string): boolean =>
      /^(export )?(async function|function|class|abstract class|const|let)\b/m.test(text(file));
    const tested = within('src').filter((file) => file.endsWith('.ts') && hasRuntimeCode(file));
    expect(tested.filter((file) => testsOf(file).length === 0)).toEqual([]);
  });

  test('both sides of the native boundary name the same functions', () => {
    const [, contract = ''] = text('src/tensor/native-types.ts').split('interface NativeModule {');
    const [members = ''] = contract.split(/^\}/m);
    const typed = [...members.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
    const exported = [...text('native/addon/exports.h').matchAll(/EXPORT\((\w+),/g)];
    expect(exported.map(([, name]) => name)).toEqual(typed);
    expect(typed).not.toEqual([]);
  });

  test('native/sources.gypi lists exactly the C++ files there are', () => {
    const { variables } = JSON.parse(text('native/sources.gypi')) as {
      variables: Record<string, string[]>;
    };
    const listed = Object.entries(variables)
      .filter(([name]) => name.endsWith('_sources'))
      .flatMap(([, files]) => files);
    const present = within('native', 'kernels', 'test').filter((file) => file.endsWith('.cc'));
    const expected = present.filter((file) => !file.startsWith('native/sim/'));
    expect(listed.toSorted()).toEqual(expected.toSorted());
  });
});

describe('tracked files', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(ROOT, file)));

  test('no text holds a path of one machine', () => {
    const texts = tracked.filter((file) =>
      /\.(ts|mjs|json|h|cc|cu|cuh|gyp|gypi|md|txt)$/.test(file),
    );
    const machinePath = /(^|[^\w.-])\/(work|root|home\/[a-z]|opt\/[a-z]|tmp\/[a-z])/;
    expect(matches(texts, machinePath)).toEqual([]);
  });

  test('no file is larger than 3 MB outside models/', () => {
    const large = tracked.filter((file) => statSync(join(ROOT, file)).size > 3_000_000);
    expect(large.filter((file) => !file.startsWith('models/'))).toEqual([]);
  });

  test('the lockfile names no registry', () => {
    expect(matches(['package-lock.json'], /"resolved":/)).toEqual([]);
  });
});
