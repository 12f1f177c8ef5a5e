import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `<folder>/<stem>.mp4`, with a number behind the stem where the video or its pictures exist already. */
export function freeName(folder: string, stem: string): string {
  const isTaken = (name: string): boolean =>
    existsSync(join(folder, `${name}.mp4`)) || existsSync(join(folder, `${name}-frames`));
  let name = stem;
  for (let number = 2; isTaken(name); number++) name = `${stem}-${number}`;
  return join(folder, `${name}.mp4`);
}
