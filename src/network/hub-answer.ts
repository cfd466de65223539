import { z } from 'zod';

const short = z.string().transform((text) => text.slice(0, 300));
const shortOrNull = short.nullish().transform((text) => text ?? null);

const subscription = z.object({
  title: short.catch(''),
  offer_reference: short.catch(''),
  is_running: z.boolean().catch(false),
  begin_date: shortOrNull.catch(null),
  end_date: shortOrNull.catch(null),
  features: z.array(short).max(100).catch([]),
});

const answer = z.object({
  is_valid: z.boolean(),
  validation_message: shortOrNull.catch(null),
  owner: z.object({ name: short }).nullish().catch(null),
  subscription: subscription.nullish().catch(null),
  /** Hubs of our own say it in a word as well. */
  reason: z.enum(['unknown', 'revoked', 'ended']).nullish().catch(null),
});

/** What a hub says of a key, in our words. */
export interface HubAnswer {
  isValid: boolean;
  message: string | null;
  /** Why it is not valid, where the hub says it in a word; absent in answers of old. */
  reason?: 'unknown' | 'revoked' | 'ended' | null;
  owner: string | null;
  subscription: {
    title: string;
    offer: string;
    isRunning: boolean;
    begins: string | null;
    ends: string | null;
    features: string[];
  } | null;
}

/** Null when it is no answer to the question: only `is_valid` must be there; whatever else is missing or odd counts as not said. */
export function readAnswer(text: string): HubAnswer | null {
  const parsed = answer.safeParse(jsonOf(text));
  if (!parsed.success) return null;
  const { is_valid: isValid, validation_message: message, reason, owner, subscription: plan } = parsed.data;
  return {
    isValid,
    message,
    reason: reason ?? null,
    owner: owner?.name ?? null,
    subscription: plan
      ? {
          title: plan.title,
          offer: plan.offer_reference,
          isRunning: plan.is_running,
          begins: plan.begin_date,
          ends: plan.end_date,
          features: plan.features,
        }
      : null,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
