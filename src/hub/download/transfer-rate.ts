const WINDOW_MS = 10_000;
const REPORT_MS = 250;

/** Rate of a transfer over the last ten seconds. */
export class TransferRate {
  private readonly now: () => number;
  private samples: { readonly at: number; readonly bytes: number }[] = [];
  private pending = 0;
  private reportedAt: number;
  private since: number;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.reportedAt = now();
    this.since = this.reportedAt;
  }

  /** Counts bytes; true when it is time for another report. */
  add(bytes: number): boolean {
    const at = this.now();
    this.pending += bytes;
    if (at - this.reportedAt < REPORT_MS) return false;
    this.samples = this.samples.filter((sample) => at - sample.at < WINDOW_MS);
    if (this.samples.length === 0) this.since = this.reportedAt;
    else this.since = Math.max(this.since, at - WINDOW_MS);
    this.samples.push({ at, bytes: this.pending });
    this.pending = 0;
    this.reportedAt = at;
    return true;
  }

  /** Null before the first report. */
  get bytesPerSecond(): number | null {
    if (this.samples.length === 0) return null;
    const bytes = this.samples.reduce((sum, sample) => sum + sample.bytes, 0);
    return (bytes / Math.max(1, this.reportedAt - this.since)) * 1000;
  }
}
