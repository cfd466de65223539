export { headersFor, HubClient, type HubCredentials } from './hub-client.ts';
export { problemOfError, problemOfStatus, type HubProblem } from './hub-problem.ts';
export { scheduleNetworkRefresh } from './network-job.ts';
export { isOwnMachine, isReachedHere } from './own-machine.ts';
export { networkMenu } from './network-menu.ts';
export { networkRights } from './network-rights.ts';
export { networkRoutes } from './network-routes.ts';
export { NetworkService } from './network-service.ts';
export { hubUrl } from './network-settings.ts';
export type { NetworkStatus } from './registration.ts';
export {
  FILE_LIST,
  keyIdOf,
  newKeyPair,
  sha256Of,
  signPackage,
  verifyList,
  verifyPackage,
} from './trust/package-signature.ts';
export { withdrawalOf, type HouseRules } from './trust/house-rules.ts';
export { assertSigned, namedBy, type Named } from './trust/signed-package.ts';
export { scheduleTrustRefresh } from './trust/trust-job.ts';
export { trustRoutes } from './trust/trust-routes.ts';
export { TrustService, type Claimed, type TrustStatus } from './trust/trust-service.ts';
export { Distrust, type NamedTarget, type TrustProblem } from './trust/trusted-set.ts';
export { covers, type Entitled } from './entitlement/entitled.ts';
export { EntitlementService, type EntitlementStatus } from './entitlement/entitlement-service.ts';
export { scheduleDoctor } from './doctor/doctor-job.ts';
export { networkNotice } from './doctor/network-notice.ts';
export { firstProblem } from './doctor/doctor.ts';
export { doctorRoutes } from './doctor/doctor-routes.ts';
export { NetworkDoctor } from './doctor/doctor-service.ts';
export { addSupportCard } from './support/support-card.ts';
export { SupportCourier } from './support/support-courier.ts';
export { scheduleSupport } from './support/support-job.ts';
export { SupportLine } from './support/support-line.ts';
export { SupportPost, supportNotice } from './support/support-post.ts';
export { supportRoutes } from './support/support-routes.ts';
export { SupportService, type SupportThread } from './support/support-service.ts';
