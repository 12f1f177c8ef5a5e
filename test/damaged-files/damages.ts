/** What happens to small files on their way: downloads, editors, other systems. */
export const DAMAGES: Readonly<Record<string, (text: string) => string>> = {
  emptied: () => '',
  'cut in half': (text) => text.slice(0, text.length / 2),
  'cut at a line': (text) => text.split('\n').slice(0, -20).join('\n'),
  'without its first line': (text) => text.split('\n').slice(1).join('\n'),
  'an empty object': () => '{}',
  'an empty list': () => '[]',
  null: () => 'null',
  'a pointer': () =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`,
  'a missing page': () => 'Entry not found',
  'a web page': () => '<!doctype html><html><body>Sign in</body></html>',
  'with a byte order mark': (text) => `\uFEFF${text}`,
  'with line ends of Windows': (text) => text.replaceAll('\n', '\r\n'),
};

/** The JSON text with one member of its first levels removed or replaced, for every member there is. */
export function memberDamages(text: string): [string, string][] {
  if (!text.trimStart().startsWith('{')) return [];
  const root = JSON.parse(text) as Record<string, unknown>;
  const isSmall = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && Object.keys(value).length < 40;
  const paths = Object.keys(root).length < 40 ? Object.keys(root).map((key) => [key]) : [];
  const deep = paths.flatMap(([key]) => {
    const value = root[key!];
    return isSmall(value) ? Object.keys(value).map((inner) => [key!, inner]) : [];
  });
  return [...paths, ...deep].flatMap((path) =>
    [undefined, null, false, true, 0, 'x', {}, []].map((value): [string, string] => {
      const copy = structuredClone(root);
      const parent = (path.length === 1 ? copy : copy[path[0]!]) as Record<string, unknown>;
      parent[path.at(-1)!] = value;
      return [`${path.join('.')} = ${JSON.stringify(value)}`, JSON.stringify(copy)];
    }),
  );
}
