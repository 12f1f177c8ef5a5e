/**
 * Generates a video and shows what happens on the way. From a checkout:
 *
 *     npx tsx examples/generate-video.ts models/tiny-framepack assets/picture-4.png ball.mp4
 */
import { generate } from '../src/index.ts';

const [model = 'models/tiny-framepack', image = 'assets/picture-4.png', out = 'ball.mp4'] =
  process.argv.slice(2);
const prompt = 'A cyan ball floats to the right over a green meadow.';

for await (const event of generate({ model, image, prompt, out, seconds: 1.2, steps: 4 })) {
  switch (event.type) {
    case 'stage':
      console.log(event.stage);
      break;
    case 'step':
      console.log(`section ${event.section + 1}, step ${event.step} of ${event.numSteps}`);
      break;
    case 'section':
      console.log(`${event.numFrames} frames so far`);
      break;
    case 'done':
      console.log(`${event.file}: ${event.width} x ${event.height}, ${event.numFrames} frames`);
      break;
  }
}
