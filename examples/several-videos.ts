/**
 * Loads a model once and makes two videos with it. They are asked for together and made one after the other; frames
 * arrive as soon as they are final. From a checkout:
 *
 *     npx tsx examples/several-videos.ts models/tiny-framepack assets/picture-4.png
 */
import { load, type VideoRequest } from '../src/index.ts';

const [folder = 'models/tiny-framepack', image = 'assets/picture-4.png'] = process.argv.slice(2);
await using model = await load({ model: folder });

const request: VideoRequest = {
  prompt: 'A cyan ball floats to the right over a green meadow.',
  image,
  seconds: 1.2,
  steps: 2,
};
const { peakBytes } = await model.estimate(request);
console.log(`${(peakBytes / 2 ** 20).toFixed(1)} MiB for a video`);

async function show(name: string, seed: number): Promise<void> {
  for await (const { section, firstFrame, frames } of model.frames({ ...request, seed })) {
    const last = firstFrame + frames.length - 1;
    console.log(`${name}: frames ${firstFrame} to ${last} of section ${section + 1} are final`);
  }
}

await Promise.all([show('first', 1), show('second', 2)]);
