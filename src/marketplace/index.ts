export { CatalogueReader } from './catalogue-reader.ts';
export { sorts } from './catalogue-repository.ts';
export { HubCatalogue } from './hub-catalogue.ts';
export { marketplaceRoutes } from './marketplace-routes.ts';
export { MarketplaceService, nameOf, type Offered } from './marketplace-service.ts';
export type { Operation } from './operation.ts';
export type { ReleaseClaim, ReleaseVerifier } from './release-verifier.ts';
export { trustVerifier } from './trust-verifier.ts';
export { scheduleMarketplace, updateNotice } from './update-news.ts';
