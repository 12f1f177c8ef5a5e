import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable, measureErrors, PAGE } from './fp8-errors.ts';

/** Measures what fp8 costs the small checkpoint and writes the table into its page: `npm run docs:fp8`. */
const table = errorTable(await measureErrors());
const page = readFileSync(PAGE, 'utf8');
writeFileSync(PAGE, page.replace(/^\| weights \|(.|\n)*?\n\n/m, `${table}\n\n`));
