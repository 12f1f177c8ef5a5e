/** A fenced block of a document. */
export interface CodeBlock {
  readonly document: string;
  /** The document and the number of the block in it. */
  readonly title: string;
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a document, in order. */
export function blocksOf(document: string, text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code], index) => ({
    document,
    title: `${document} example ${index + 1}`,
    language: language!,
    code: code!,
  }));
}

/** The commands of a block of shell: one a line, without comments, and joined where a line ends in a backslash. */
export function commandsOf(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The words of a command, without their quotes. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => (single ?? double ?? bare)!,
  );
}
