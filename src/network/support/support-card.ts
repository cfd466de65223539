import { z } from 'zod';
import type { Undo } from '../../hooks/index.ts';
import { CORE_OWNER } from '../../http/route-table.ts';
import type { Slots } from '../../views/slots.ts';
import { presentRow } from './support-presenter.ts';
import type { SupportService } from './support-service.ts';

const about = z.object({ number: z.int() });

/** Beside a ticket of this house: asking the vendor about it, and what was asked. */
export const addSupportCard = (slots: Pick<Slots, 'add'>, support: SupportService): Undo =>
  slots.add('ticket.sidebar', CORE_OWNER, 'network/support-card', async (context, actor) => {
    const { number } = about.parse(context);
    const found = await support.about(actor, number);
    return found && { number, mayAsk: found.mayAsk, requests: found.requests.map(presentRow) };
  });
