import { defineEvent, definePlugin, type Host, type PersonFacts } from 'latchkey/plugin-api';
import { ApprovalService } from './people/approval-service.ts';
import { Authority } from './keys/authority.ts';
import { inviteCommands } from './commands.ts';
import { ConfirmService } from './join/confirm-service.ts';
import { playInDemo } from './demo.ts';
import { JoinHandles } from './join/join-handle.ts';
import { JoinMails } from './join/join-mails.ts';
import { joinRoutes } from './join/join-routes.ts';
import { JoinService } from './join/join-service.ts';
import { keyApi } from './keys/key-api.ts';
import { KeyCare } from './keys/key-care.ts';
import { KeyDoor } from './keys/key-door.ts';
import { keyRoutes } from './keys/key-routes.ts';
import { KeyService } from './keys/key-service.ts';
import { MailingService } from './mailings/mailing-service.ts';
import { Newcomers } from './join/newcomers.ts';
import { peopleRoutes } from './people/people-routes.ts';
import { Places } from './keys/places.ts';
import { ProofBox } from './join/proofs.ts';
import { RedeemService } from './join/redeem-service.ts';
import { SeatLine } from './join/seat-line.ts';
import { SeatSweeper } from './join/seat-sweeper.ts';

/** Core tells it; the same name is the same hook. */
const userDisabled = defineEvent<{ user: PersonFacts }>({
  name: 'user.disabled',
  summary: 'Somebody can no longer sign in.',
  since: '0.1.0',
});

/** Invitation keys: minted by administrators, redeemed by newcomers. */
export default definePlugin((host: Host) => {
  const mails = new JoinMails(host);
  const places = new Places(host);
  const proofs = new ProofBox(host);
  const handles = new JoinHandles(host);
  const authority = new Authority(host);
  const door = new KeyDoor(host);
  const line = new SeatLine();
  const sweeper = new SeatSweeper(host);
  const newcomers = new Newcomers({ host, mails });
  const care = new KeyCare({ host, authority, mails });
  const keys = new KeyService({ host, door, authority, places });
  const mailings = new MailingService({ host, door, mails });
  const join = new JoinService({ host, mails, care });
  const redeem = new RedeemService({ host, proofs, care, line, newcomers, mails });
  const confirm = new ConfirmService({ host, proofs, mails, care, line, newcomers, sweeper });
  const approvals = new ApprovalService({ host, proofs, authority, newcomers, mails, sweeper });

  host.routes([
    ...joinRoutes({ host, door, handles, redeem, confirm, join }),
    ...keyApi({ host, door, keys, redeem, join }),
    ...peopleRoutes({ host, approvals, confirm }),
    ...keyRoutes({ host, keys, places, mailings, approvals }),
  ]);
  for (const command of inviteCommands({ host, keys })) host.command(command);
  host.job('give-back-seats', async ({ signal }) => {
    await sweeper.sweep(signal);
  });
  playInDemo({ host, keys, redeem, approvals });
  host.on(userDisabled, ({ user }) => care.lookAfter(user.id));
});
