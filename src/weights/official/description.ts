import type { CheckpointInfo, CheckpointMode } from '../checkpoint-info.ts';

/**
 * The released 13B checkpoints, which carry no `framepack.json`: the numbers that the official app has in its code.
 *
 * Facts from lllyasviel/FramePack at 97fe5db: demo_gradio.py, demo_gradio_f1.py, diffusers_helper/bucket_tools.py,
 * diffusers_helper/hunyuan.py (template, lengths, latent-to-RGB factors).
 */
const OFFICIAL: Omit<CheckpointInfo, 'name' | 'modes' | 'defaults'> = {
  fps: 30,
  latentWindowSize: 9,
  buckets: [
    [416, 960],
    [448, 864],
    [480, 832],
    [512, 768],
    [544, 704],
    [576, 672],
    [608, 640],
    [640, 608],
    [672, 576],
    [704, 544],
    [768, 512],
    [832, 480],
    [864, 448],
    [960, 416],
  ].map(([height, width]) => ({ height: height!, width: width! })),
  prompt: {
    template:
      '<|start_header_id|>system<|end_header_id|>\n\n' +
      'Describe the video by detailing the following aspects: ' +
      '1. The main content and theme of the video.' +
      '2. The color, shape, size, texture, quantity, text, and spatial relationships of the objects.' +
      '3. Actions, events, behaviors temporal relationships, physical movement changes of the objects.' +
      '4. background environment, light, style and atmosphere.' +
      '5. camera angles, movements, and transitions used in the video:<|eot_id|>' +
      '<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>',
    hiddenLayer: -3,
    maxLength: 256,
    paddedLength: 512,
    clipMaxLength: 77,
  },
  // Measured on HunyuanVideo by its users; musubi-tuner 30c658c.
  magRatios: [
    1.0, 1.06971, 1.29073, 1.11245, 1.09596, 1.05233, 1.01415, 1.05672, 1.00848, 1.03632, 1.02974,
    1.00984, 1.03028, 1.00681, 1.06614, 1.05022, 1.02592, 1.01776, 1.02985, 1.00726, 1.03727,
    1.01502, 1.00992, 1.03371, 0.9976, 1.02742, 1.0093, 1.01869, 1.00815, 1.01461, 1.01152, 1.03082,
    1.0061, 1.02162, 1.01999, 0.99063, 1.01186, 1.0217, 0.99947, 1.01711, 0.9904, 1.00258, 1.00878,
    0.97039, 0.97686, 0.94315, 0.97728, 0.91154, 0.86139, 0.76592,
  ],
  preview: {
    weights: [
      [-0.0395, -0.0331, 0.0445],
      [0.0696, 0.0795, 0.0518],
      [0.0135, -0.0945, -0.0282],
      [0.0108, -0.025, -0.0765],
      [-0.0209, 0.0032, 0.0224],
      [-0.0804, -0.0254, -0.0639],
      [-0.0991, 0.0271, -0.0669],
      [-0.0646, -0.0422, -0.04],
      [-0.0696, -0.0595, -0.0894],
      [-0.0799, -0.0208, -0.0375],
      [0.1166, 0.1627, 0.0962],
      [0.1165, 0.0432, 0.0407],
      [-0.2315, -0.192, -0.1355],
      [-0.027, 0.0401, -0.0821],
      [-0.0616, -0.0997, -0.0727],
      [0.0249, -0.0469, -0.1703],
    ],
    bias: [0.0259, -0.0192, -0.0761],
    range: { low: 0, high: 1 },
  },
};

/**
 * Description of an official checkpoint.
 *
 * @param modes - what its weights may have been trained for; weights of one mode do not work in the other.
 * @param mode - the one to use unless a request says otherwise; null when nothing tells, so that a request has to.
 */
export function officialInfo(
  modes: readonly CheckpointMode[],
  mode: CheckpointMode | null,
): CheckpointInfo {
  return {
    name: 'FramePack (HunyuanVideo 13B)',
    ...OFFICIAL,
    modes,
    defaults: {
      mode,
      seconds: 5,
      steps: 25,
      seed: 31337,
      guidance: 10,
      cfg: 1,
      guidanceRescale: 0,
    },
  };
}
