/** Pulls one file slowly enough to be killed; prints a line when bytes arrive and one when it is done. */
import { DEFAULT_PATIENCE } from '../../../src/hub/http.ts';
import { pullTuned } from '../../../src/hub/pull.ts';

const [endpoint, cacheFolder, partBytes] = process.argv.slice(2) as [string, string, string];
const onEvent = (event: { type: string }): void => {
  if (event.type === 'wait') process.stdout.write('wait\n');
};
const tuning = { ...DEFAULT_PATIENCE, partBytes: Number(partBytes) };
await pullTuned('owner/model', { endpoint, cacheFolder, onEvent, connections: 3 }, tuning);
process.stdout.write('done\n');
