import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** The names users may rely on. A change here is a change of the public API and belongs in the changelog. */
const ENTRIES: Record<string, () => Promise<object>> = {
  '.': () => import('../src/index.ts'),
  './tensor': () => import('../src/entry/tensor.ts'),
  './nn': () => import('../src/entry/nn.ts'),
  './models': () => import('../src/entry/models.ts'),
  './framepack': () => import('../src/entry/framepack.ts'),
};

test.each(Object.entries(ENTRIES))('%s exports exactly these names', async (_, load) => {
  const names = Object.keys(await load());
  expect(names.toSorted()).toMatchSnapshot();
});

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILES = ['index', 'entry/tensor', 'entry/nn', 'entry/models', 'entry/framepack'];

const program = ts.createProgram(
  FILES.map((entry) => `${ROOT}src/${entry}.ts`),
  ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    ROOT,
  ).options,
);
const checker = program.getTypeChecker();

/** The declaration behind an import or a re-export. */
function original(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const exported = new Set(
  FILES.flatMap((entry) => {
    const file = program.getSourceFile(`${ROOT}src/${entry}.ts`)!;
    return checker.getExportsOfModule(checker.getSymbolAtLocation(file)!).map(original);
  }),
);

function isPrivate(node: ts.Node): boolean {
  const isHash =
    ts.isClassElement(node) && node.name !== undefined && ts.isPrivateIdentifier(node.name);
  const flags = ts.canHaveModifiers(node) ? ts.getCombinedModifierFlags(node as ts.Declaration) : 0;
  return isHash || (flags & ts.ModifierFlags.Private) !== 0;
}

/** The types of this package that a declaration shows to its users: no bodies, no private members. */
function* shownTypes(node: ts.Node): Generator<ts.Symbol> {
  if (isPrivate(node) || ts.isBlock(node)) return;
  if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
    const name = ts.isTypeReferenceNode(node) ? node.typeName : node.expression;
    const symbol = checker.getSymbolAtLocation(name);
    if (symbol !== undefined) yield original(symbol);
  }
  const isValue = ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node);
  for (const child of isValue ? [node.type] : node.getChildren()) {
    if (child !== undefined) yield* shownTypes(child);
  }
}

function isOurs({ flags, declarations = [] }: ts.Symbol): boolean {
  const isNamed = (flags & ts.SymbolFlags.TypeParameter) === 0;
  return (
    isNamed && declarations.some((node) => node.getSourceFile().fileName.startsWith(`${ROOT}src/`))
  );
}

test('every type in an exported signature is exported', () => {
  const missing = new Set<string>();
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) {
      for (const type of shownTypes(declaration)) {
        if (!isOurs(type) || exported.has(type)) continue;
        const file = type.declarations![0]!.getSourceFile().fileName.slice(ROOT.length);
        missing.add(`${type.name} of ${file}, in ${symbol.name}`);
      }
    }
  }
  expect([...missing].toSorted()).toEqual([]);
}, 60_000);

test('the walk sees the types of parameters, results and members', () => {
  const names = [...exported].flatMap(({ declarations = [] }) =>
    declarations.flatMap((node) => [...shownTypes(node)].map(({ name }) => name)),
  );
  for (const name of ['Tensor', 'AttentionOptions', 'DType', 'WeightScope', 'GenerateEvent']) {
    expect(names).toContain(name);
  }
});
