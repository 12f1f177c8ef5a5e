import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { repositoryPath } from '../tokenizers/vocabularies.ts';
import { blocksOf, type CodeBlock, commandsOf } from './code-blocks.ts';

const ROOT: string = repositoryPath('.');

/** Every document that is held to what the code does. */
export const DOCUMENTS: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['src/README.md', 'native/README.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** Text of a file of the repository. */
export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The blocks of all documents, in order. */
export const BLOCKS: readonly CodeBlock[] = DOCUMENTS.flatMap((file) => blocksOf(file, read(file)));

/** A block that listens for requests, with the commands in the block behind it that make some. */
export interface Server {
  readonly title: string;
  readonly block: CodeBlock;
  readonly requests: readonly string[];
}

/** The servers: blocks of TypeScript with commands of curl behind them. */
export const SERVERS: readonly Server[] = BLOCKS.flatMap((block, index) => {
  const next = BLOCKS[index + 1];
  if (block.language !== 'ts' || next?.language !== 'sh' || next.document !== block.document) {
    return [];
  }
  const requests = commandsOf(next.code).filter((command) => command.startsWith('curl '));
  return requests.length === 0 ? [] : [{ title: block.title, block, requests }];
});

/** A folder in which blocks run as users run them, inside the package, so that `framepack-node` means this package. */
export class Scratch {
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = join(ROOT, 'build', name);
  }

  /** Writes blocks as TypeScript and as the JavaScript that it compiles to, beside the folders that examples name. */
  write(blocks: readonly CodeBlock[]): void {
    this.remove();
    for (const folder of new Set(blocks.map(({ document }) => this.folderOf(document)))) {
      mkdirSync(folder, { recursive: true });
      for (const name of ['models', 'assets']) symlinkSync(join(ROOT, name), join(folder, name));
    }
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    for (const block of blocks.filter(({ language }) => language === 'ts')) {
      writeFileSync(this.sourceOf(block), block.code);
      const { outputText } = ts.transpileModule(block.code, { compilerOptions });
      writeFileSync(this.programOf(block), outputText);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Where the blocks of a document run; a later one finds the files of an earlier one. */
  folderOf(document: string): string {
    return join(this.#folder, document.replaceAll(/\W+/g, '-'));
  }

  sourceOf({ document, title }: CodeBlock): string {
    return join(this.folderOf(document), `${title.replaceAll(/\W+/g, '-')}.mts`);
  }

  programOf(block: CodeBlock): string {
    return this.sourceOf(block).replace(/\.mts$/, '.mjs');
  }
}

/** What the compiler says against files, with the settings of this package. */
export function complaintsAbout(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const own = { ...options, isolatedDeclarations: false, declaration: false };
  return ts.getPreEmitDiagnostics(ts.createProgram(files, own)).map((diagnostic) => {
    const { file, start, messageText } = diagnostic;
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    return `${file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
