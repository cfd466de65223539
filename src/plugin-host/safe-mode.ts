/** Why no plugin code runs: somebody started it so, it had crashed too often, or it had not come up too often. */
export type SafeModeReason = 'asked' | 'crashes' | 'starts';

/** Which server it is, why, and whose crashes it has seen of late. */
export interface SafeModeFacts {
  reason: Exclude<SafeModeReason, 'asked'>;
  node: string;
  suspects: readonly { plugin: string; why: string }[];
}
