import {
  defineEvent,
  definePlugin,
  sealedColumns,
  ticketCreated,
  userForgotten,
  type Host,
  type PersonFacts,
} from 'latchkey/plugin-api';
import { ApprovalService } from './people/approval-service.ts';
import { Authority } from './keys/authority.ts';
import { boundRoutes, replySlot } from './bound/bound-routes.ts';
import { TicketKeys } from './bound/ticket-keys.ts';
import { Evidence } from './guard/evidence.ts';
import { standGuard } from './guard/guard.ts';
import { inviteCommands } from './commands.ts';
import { ConfirmService } from './join/confirm-service.ts';
import { playInDemo } from './demo.ts';
import { JoinHandles } from './join/join-handle.ts';
import { JoinMails } from './seats/join-mails.ts';
import { joinRoutes } from './join/join-routes.ts';
import { JoinService } from './join/join-service.ts';
import { copyCommands } from './copies/copy-commands.ts';
import { copyApi, copyRoutes } from './copies/copy-routes.ts';
import { CopyService } from './copies/copy-service.ts';
import { rememberFirstTicket } from './insight/funnel-repository.ts';
import { Funnel } from './insight/funnel.ts';
import { insightRoutes } from './insight/insight-routes.ts';
import { KeyInsight } from './insight/key-insight.ts';
import { noticeCommand } from './notices/notice-commands.ts';
import { noticeRoutes } from './notices/notice-routes.ts';
import { NoticeService } from './notices/notice-service.ts';
import { PrintService } from './sharing/print-service.ts';
import { inCapitals } from './sharing/qr-link.ts';
import { shareRoutes } from './sharing/share-routes.ts';
import { keyApi } from './desk/key-api.ts';
import { KeyCare } from './seats/key-care.ts';
import { KeyDoor } from './keys/key-door.ts';
import { keyRoutes } from './desk/key-routes.ts';
import { invitationHooks } from './hooks.ts';
import { KeyService } from './keys/key-service.ts';
import { MemberQuota } from './keys/member-quota.ts';
import { standMinting } from './desk/minting.ts';
import { PresetBook } from './keys/preset-book.ts';
import { SecondYes } from './keys/second-yes.ts';
import { standReach } from './mailings/reach.ts';
import { Newcomers } from './join/newcomers.ts';
import { Forgetting } from './people/forgetting.ts';
import { peopleApi } from './people/people-api.ts';
import { peopleCommands } from './people/people-commands.ts';
import { peopleRoutes } from './people/people-routes.ts';
import { Places } from './keys/places.ts';
import { ProofBox } from './seats/proofs.ts';
import { sealedHere } from './desk/sealed.ts';
import { explainRoutes } from './desk/explain-routes.ts';
import { requestCommands } from './requests/request-commands.ts';
import { requestRoutes } from './requests/request-routes.ts';
import { RequestService } from './requests/request-service.ts';
import { HumanCheck } from './join/human-check.ts';
import { RedeemService } from './join/redeem-service.ts';
import { SkippedGroups } from './join/skipped-groups.ts';
import { SeatLine } from './join/seat-line.ts';
import { outcomeCommand, outcomeRoutes } from './desk/outcome-routes.ts';
import { Outcomes } from './desk/outcome.ts';
import { Landing } from './steps/landing.ts';
import { stepRoutes } from './steps/step-routes.ts';
import { stepCommands } from './steps/step-commands.ts';
import { StepService } from './steps/step-service.ts';
import { walkRoutes } from './steps/walk-routes.ts';
import { StepWalk } from './steps/step-walk.ts';
import { SeatSweeper } from './join/seat-sweeper.ts';

/** Core tells it; the same name is the same hook. */
const userDisabled = defineEvent<{ user: PersonFacts }>({
  name: 'user.disabled',
  summary: 'Somebody can no longer sign in.',
  since: '0.1.0',
});

/** Invitation keys: minted by administrators, redeemed by newcomers. */
export default definePlugin((host: Host) => {
  host.provideHooks(invitationHooks);
  host.contribute(sealedColumns, () => sealedHere(host));
  const mails = new JoinMails(host);
  const places = new Places(host);
  const proofs = new ProofBox(host);
  const handles = new JoinHandles(host);
  const walk = new StepWalk(host, proofs);
  const quota = new MemberQuota({ host, places });
  const presets = new PresetBook(host);
  const secondYes = new SecondYes({ host, places });
  const authority = new Authority({ host, places, quota });
  const door = new KeyDoor(host);
  const line = new SeatLine(host);
  const sweeper = new SeatSweeper(host);
  const newcomers = new Newcomers({ host, mails, walk, skipped: new SkippedGroups(host) });
  const evidence = new Evidence(host);
  const care = new KeyCare({ host, authority, mails, evidence });
  const keys = new KeyService({ host, door, authority, places, quota, secondYes, presets });
  const minting = standMinting({ host, keys, places, presets, quota });
  const reach = standReach({ host, door, mails, keys, places });
  const join = new JoinService({ host, care, proofs });
  const humans = new HumanCheck(host);
  const redeem = new RedeemService({
    humans,
    host,
    rosters: reach.rosters,
    proofs,
    care,
    line,
    newcomers,
    mails,
    walk,
  });
  const confirm = new ConfirmService({ host, proofs, mails, care, line, newcomers, sweeper });
  const approvals = new ApprovalService({ host, proofs, authority, newcomers, mails, sweeper });

  const copies = new CopyService({ host, door });
  const prints = new PrintService(host);
  const funnel = new Funnel(host);
  const notices = new NoticeService(host);
  const insight = new KeyInsight({ host, funnel, notices });
  const landing = new Landing(host, walk);
  const outcomes = new Outcomes({ host, keys, authority, walk });
  const steps = new StepService(host, { changed: walk.forget });
  const requests = new RequestService({ host, keys, mailings: reach.mailings, mails });
  const joining = joinRoutes({
    host,
    door,
    handles,
    redeem,
    confirm,
    join,
    requests,
    humans,
    funnel,
    evidence,
    walk,
    landing,
  });

  const ticketKeys = new TicketKeys({ host, keys, mailings: reach.mailings });
  replySlot({ host, ticketKeys });
  const guard = standGuard({ host, evidence, care, keys, door, proofs, rosters: reach.rosters });
  host.routes([
    ...joining,
    ...inCapitals(joining),
    ...requestRoutes({ host, requests }),
    ...explainRoutes({ host, keys }),
    ...walkRoutes({ host, walk, landing }),
    ...stepRoutes({ host, steps }),
    ...outcomeRoutes({ host, outcomes }),
    ...peopleApi({ host, approvals, confirm }),
    ...copyApi({ copies }),
    ...copyRoutes({ host, keys, copies, places }),
    ...shareRoutes({ host, keys, prints }),
    ...insightRoutes({ host, keys, funnel }),
    ...noticeRoutes({ keys, notices }),
    ...minting.routes,
    ...reach.routes,
    ...keyApi({ host, door, keys, redeem, join, humans, walk }),
    ...boundRoutes({ host, ticketKeys }),
    ...peopleRoutes({ host, approvals, confirm }),
    ...keyRoutes({
      host,
      keys,
      places,
      mailings: reach.mailings,
      rosters: reach.rosters,
      approvals,
      insight,
      guard,
      presets,
      batches: minting.batches,
    }),
  ]);
  for (const command of inviteCommands({ host, keys })) host.command(command);
  for (const command of [
    ...peopleCommands({ approvals, confirm }),
    ...copyCommands({ copies }),
    ...requestCommands({ requests }),
    ...stepCommands({ steps }),
    noticeCommand({ keys, notices }),
    outcomeCommand(outcomes),
  ])
    host.command(command);
  host.job('give-back-seats', async ({ signal }) => {
    await sweeper.sweep(signal);
  });
  host.job('tidy-requests', () => requests.tidy());
  host.job('count-visits', () => funnel.flush());
  host.job('tell-owners', () => notices.work());
  host.on(ticketCreated, ({ ticket }, delivery) =>
    delivery.once((tx) =>
      rememberFirstTicket(tx, { userId: ticket.requesterId, ticketId: ticket.id, at: delivery.at }),
    ),
  );
  playInDemo({
    host,
    keys,
    redeem,
    approvals,
    copies,
    presets,
    funnel,
    steps,
    requests,
    rounds: reach.rounds,
  });
  const forgetting = new Forgetting({ host, proofs });
  host.on(userForgotten, (person, delivery) => forgetting.forget(person, delivery));
  host.on(userDisabled, ({ user }) => care.lookAfter(user.id));
});
