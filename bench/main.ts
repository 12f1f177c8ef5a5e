/** `npm run bench -- [suite ...] [options]`; see README.md beside it. */
import { FramePackError } from '../src/errors.ts';
import { parseOptions, USAGE } from './harness/options.ts';
import { markdown, textHeader, textRow } from './harness/table.ts';
import { runBench } from './run.ts';

// Leaves as usual, so that temporary files do not stay behind.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
process.exitCode = await main(process.argv.slice(2));

/** Exit status: 0 all went well, 1 something is missing from the result, 2 wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(argv);
    if (options === null) {
      process.stdout.write(USAGE);
      return 0;
    }
    let numProblems = 0;
    const progress = options.format === 'text' ? process.stdout : process.stderr;
    progress.write(`${textHeader()}\n`);
    const document = await runBench(options, {
      onRow: (row) => progress.write(`${textRow(row)}\n`),
      onProblem: (problem) => {
        numProblems++;
        process.stderr.write(`${problem}\n`);
      },
    });
    if (options.format === 'json') process.stdout.write(`${JSON.stringify(document, null, 1)}\n`);
    if (options.format === 'markdown') process.stdout.write(markdown(document));
    return numProblems === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof FramePackError) || error.code !== 'ERR_ARGUMENT') throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}
