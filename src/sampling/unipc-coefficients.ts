import { FramePackError } from '../errors.ts';

/** The step-size function B(h) of UniPC. bh1, `B = h`, is the default of the official app. */
export type UniPcVariant = 'bh1' | 'bh2';

/** Weights of one solver step from noise level s to t; all differences are against the newest prediction m0. */
export interface UniPcCoefficients {
  /** Weight of the sample: t / s. */
  readonly sample: number;
  /** Weight of m0. */
  readonly prediction: number;
  /** Predictor: weights of m_k - m0 for the older predictions, k = 1 and up. */
  readonly predictor: readonly number[];
  /** Corrector: weights of m_k - m0 for the older predictions. */
  readonly corrector: readonly number[];
  /** Corrector: weight of m_new - m0. */
  readonly correctorNew: number;
}

/**
 * Coefficients of one step of UniPC, predictor and corrector, with data prediction along the straight (rectified
 * flow) path, whose log noise-to-signal variable is taken as lambda = -ln sigma.
 *
 * With h = lambda_t - lambda_s and r_k the older lambdas relative to it, the weights solve the Vandermonde system
 * `sum_k r_k^(j-1) c_k = j! phi_(j+1)(-h) / B(h)`; the second-order predictor uses 1/2, as the paper does.
 *
 * @param sigmas - the noise levels s (newest prediction) first, older ones behind; as many as the order.
 * @param target - the noise level t; above 0.
 * @see UniPC, arXiv 2302.04867, algorithms 7 and 8 and section 3.3 (data prediction, B1 and B2)
 */
export function unipcCoefficients(
  sigmas: readonly number[],
  target: number,
  variant: UniPcVariant,
): UniPcCoefficients {
  const [current, ...older] = sigmas;
  if (current === undefined || !(target > 0) || sigmas.length > 3) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `unipcCoefficients: sigmas expected one to three levels and a target above 0, got ${sigmas.join(', ')} and ${target}`,
    );
  }
  const negativeH = Math.log(target / current);
  const ratios = older.map((sigma) => Math.log(sigma / current) / negativeH);
  const phi = Math.expm1(negativeH);
  const stepSize = variant === 'bh1' ? negativeH : phi;
  const moments = phiMoments(negativeH, phi, sigmas.length).map((moment) => moment / stepSize);
  const predictorWeights = ratios.length === 1 ? [0.5] : solveVandermonde(ratios, moments);
  const correctorWeights = ratios.length === 0 ? [0.5] : solveVandermonde([...ratios, 1], moments);
  const perDifference = (weights: readonly number[]): number[] =>
    ratios.map((ratio, k) => (-stepSize * weights[k]!) / ratio);
  return {
    sample: target / current,
    prediction: -phi,
    predictor: perDifference(predictorWeights),
    corrector: perDifference(correctorWeights),
    correctorNew: -stepSize * correctorWeights[ratios.length]!,
  };
}

/** `j! g_j` for j = 1 to count, with g_1 = phi / a - 1 and g_(j+1) = g_j / a - 1 / (j + 1)!. */
function phiMoments(a: number, phi: number, count: number): number[] {
  const moments: number[] = [];
  let g = phi / a - 1;
  let factorial = 1;
  for (let j = 1; j <= count; j++) {
    factorial *= j;
    moments.push(factorial * g);
    g = g / a - 1 / (factorial * (j + 1));
  }
  return moments;
}

/** Solves `sum_k nodes_k^j c_k = values_j`, j from 0, for up to three nodes. */
function solveVandermonde(nodes: readonly number[], values: readonly number[]): number[] {
  // Lagrange: c_k is the value functional applied to the basis polynomial of node k.
  return nodes.map((node, k) => {
    let basis = [1];
    for (const other of nodes.filter((_, index) => index !== k)) {
      basis = multiplyByRoot(basis, other, 1 / (node - other));
    }
    return basis.reduce((sum, coefficient, power) => sum + coefficient * values[power]!, 0);
  });
}

/** `polynomial(x) * (x - root) * scale`; coefficients from the constant up. */
function multiplyByRoot(polynomial: readonly number[], root: number, scale: number): number[] {
  return [...polynomial, 0].map(
    (coefficient, power) => ((polynomial[power - 1] ?? 0) - root * coefficient) * scale,
  );
}
