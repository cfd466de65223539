import { apiDocument } from './api/api-hooks.ts';
import { auditRecorded, type AuditNews } from './audit/index.ts';
import { doctorChecks } from './cli/doctor-hooks.ts';
import type { EventToken, HookToken } from './hooks/index.ts';
import * as identity from './identity/index.ts';
import { jobFailed, jobFinished, jobMayRun } from './jobs/index.ts';
import { mailGivenUp, mailHandedOver, mailMayLeave, mailOutgoing } from './mail/index.ts';
import { notificationSent } from './notifications/index.ts';
import {
  demoSeeding,
  pluginDisabled,
  pluginEnabled,
  pluginPurged,
  pluginStaged,
  pluginUninstalled,
  pluginVersionUsed,
} from './plugin-host/index.ts';
import { settingChanged, settingMayChange } from './settings/index.ts';
import * as tickets from './tickets/index.ts';
import { menuVisible, pageBrand, pageModel } from './views/index.ts';

/** Told by the audit log itself, in the transaction of the act. */
const fromAudit = {
  accessTokenCreated: identity.accessTokenCreated,
  accessTokenRevoked: identity.accessTokenRevoked,
  categoryCreated: tickets.categoryCreated,
  categoryUpdated: tickets.categoryUpdated,
  entityCreated: identity.entityCreated,
  entityMoved: identity.entityMoved,
  entityRemoved: identity.entityRemoved,
  entityRenamed: identity.entityRenamed,
  grantGiven: identity.grantGiven,
  grantWithdrawn: identity.grantWithdrawn,
  groupCreated: identity.groupCreated,
  groupMemberAdded: identity.groupMemberAdded,
  groupMemberRemoved: identity.groupMemberRemoved,
  groupRemoved: identity.groupRemoved,
  groupRenamed: identity.groupRenamed,
  passwordChanged: identity.passwordChanged,
  passwordReset: identity.passwordReset,
  pluginDisabled,
  pluginEnabled,
  pluginPurged,
  pluginStaged,
  pluginUninstalled,
  pluginVersionUsed,
  profileChanged: identity.profileChanged,
  profileCreated: identity.profileCreated,
  profileRemoved: identity.profileRemoved,
  secondFactorOff: identity.secondFactorOff,
  secondFactorOn: identity.secondFactorOn,
  settingChanged,
  userAnonymised: identity.userAnonymised,
  userAttributesSet: identity.userAttributesSet,
  userChanged: identity.userChanged,
  userEnabled: identity.userEnabled,
} as const;

export const auditEvents: readonly EventToken<AuditNews>[] = Object.values(fromAudit);

/**
 * Every hook of core, by the name that `latchkey/plugin-api` gives it. What a hook says of itself is part of its type, so that none
 * is here without its summary, its failure mode and its budget; a test fires each, and `docs/plugins/hooks.md` is made from it.
 */
export const coreHooks = {
  ...fromAudit,
  accessTokenDraft: identity.accessTokenDraft,
  accessTokenMayCreate: identity.accessTokenMayCreate,
  apiDocument,
  apiMayCall: identity.apiMayCall,
  attachmentAdded: tickets.attachmentAdded,
  attachmentDraft: tickets.attachmentDraft,
  attachmentMayKeep: tickets.attachmentMayKeep,
  attachmentMayOpen: tickets.attachmentMayOpen,
  attachmentStores: tickets.attachmentStores,
  auditRecorded,
  dashboardCards: tickets.dashboardCards,
  dashboardFigures: tickets.dashboardFigures,
  demoSeeding,
  doctorChecks,
  entityMayRemove: identity.entityMayRemove,
  followUpAdded: tickets.followUpAdded,
  followUpDraft: tickets.followUpDraft,
  followUpMayAdd: tickets.followUpMayAdd,
  groupMayRemove: identity.groupMayRemove,
  jobFailed,
  jobFinished,
  jobMayRun,
  mailGivenUp,
  mailHandedOver,
  mailMayLeave,
  mailOutgoing,
  menuVisible,
  notificationSent,
  pageBrand,
  pageModel,
  sessionLife: identity.sessionLife,
  settingMayChange,
  signInFailed: identity.signInFailed,
  signInMayBegin: identity.signInMayBegin,
  signInMayComplete: identity.signInMayComplete,
  solutionDraft: tickets.solutionDraft,
  solutionMayPropose: tickets.solutionMayPropose,
  ticketAssigned: tickets.ticketAssigned,
  ticketChange: tickets.ticketChange,
  ticketClosed: tickets.ticketClosed,
  ticketCreated: tickets.ticketCreated,
  ticketDraft: tickets.ticketDraft,
  ticketExport: tickets.ticketExport,
  ticketListed: tickets.ticketListed,
  ticketMayAssign: tickets.ticketMayAssign,
  ticketMayClose: tickets.ticketMayClose,
  ticketMayCreate: tickets.ticketMayCreate,
  ticketMayReopen: tickets.ticketMayReopen,
  ticketMaySolve: tickets.ticketMaySolve,
  ticketMayUpdate: tickets.ticketMayUpdate,
  ticketNotices: tickets.ticketNotices,
  ticketReopened: tickets.ticketReopened,
  ticketSearch: tickets.ticketSearch,
  ticketSearchFields: tickets.ticketSearchFields,
  ticketSolved: tickets.ticketSolved,
  ticketTimeline: tickets.ticketTimeline,
  ticketUpdated: tickets.ticketUpdated,
  timelineShown: tickets.timelineShown,
  userCreated: identity.userCreated,
  userDisabled: identity.userDisabled,
  userDraft: identity.userDraft,
  userChange: identity.userChange,
  userMayAnonymise: identity.userMayAnonymise,
  userMayCreate: identity.userMayCreate,
  userMayDisable: identity.userMayDisable,
  userSignedIn: identity.userSignedIn,
  userSignedOut: identity.userSignedOut,
} as const satisfies Record<string, HookToken>;
