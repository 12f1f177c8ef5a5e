// Bundles a program of this repository into one file that runs without node_modules:
//
//   node test/gpu/bundle.mjs <entry> <output>
//
// `import.meta.url` stays that of the source file once compiled, below the folder the bundle is started in, so that
// fixtures are found. `vitest` and `sharp` are replaced by the stand-ins of this folder.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const [entry, outfile] = process.argv.slice(2);

const sourceUrls = {
  name: 'source-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      const file = relative(ROOT, path);
      if (file.startsWith('node_modules') || file.startsWith('..')) return undefined;
      const url = `__urlOf(${JSON.stringify(file.replace(/\.ts$/, '.js'))})`;
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

await build({
  entryPoints: [join(ROOT, entry)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'error',
  alias: {
    sharp: join(import.meta.dirname, 'stand-ins/sharp.mjs'),
    vitest: join(import.meta.dirname, 'stand-ins/vitest.mjs'),
  },
  external: ['node-webcodecs', 'onnxruntime-node'],
  plugins: [sourceUrls],
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      "import { join as __join } from 'node:path';",
      "import { pathToFileURL as __pathToFileUrl } from 'node:url';",
      'const __urlOf = (file) => __pathToFileUrl(__join(process.cwd(), file)).href;',
      "const require = __createRequire(__urlOf('package.json'));",
    ].join('\n'),
  },
});
