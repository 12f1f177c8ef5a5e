import { existsSync } from 'node:fs';
import { FramePackError } from '../../errors.ts';
import { picturesFolder } from '../../media/video/open-video.ts';

const PLACEHOLDER = /\{([a-z]+)\}/g;
const NUMBER = 'n';

/**
 * Fills the placeholders of a file name, such as `{date}-{seed}-{n}.mp4`. `{n}` is the first number from 1 whose name is
 * free; braces around anything but lower case letters stay as they are.
 *
 * @param values - what the others stand for; characters that separate folders become `-`.
 * @throws {@link FramePackError} `ERR_ARGUMENT` for a placeholder that there is not.
 */
export function fillName(template: string, values: Readonly<Record<string, string>>): string {
  const known = [...Object.keys(values), NUMBER];
  for (const [placeholder, name] of template.matchAll(PLACEHOLDER)) {
    if (known.includes(name!)) continue;
    const list = known.map((candidate) => `{${candidate}}`).join(', ');
    throw new FramePackError(
      'ERR_ARGUMENT',
      `generate: out expected placeholders among ${list}, got ${placeholder}`,
      { placeholder },
    );
  }
  const fill = (number: number): string =>
    template.replace(PLACEHOLDER, (_, name: string) =>
      name === NUMBER ? String(number) : values[name]!.replace(/[/\\\0]/g, '-'),
    );
  if (!template.includes(`{${NUMBER}}`)) return fill(1);
  let number = 1;
  while (existsSync(fill(number)) || existsSync(picturesFolder(fill(number)))) number++;
  return fill(number);
}

/** Day and time of day in the local time zone, as file names have them. */
export function dateValues(now: Date): { readonly date: string; readonly time: string } {
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    date: `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    time: `${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`,
  };
}
