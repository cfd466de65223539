import { definePlugin, pageBrand } from 'latchkey/plugin-api';
import { brandRoutes } from './brand-routes.ts';
import { BrandService } from './brand-service.ts';

/** The organisation's own logo and colours, on every page and in every mail. */
export default definePlugin(async (host) => {
  const brands = new BrandService(host);
  await brands.lookAgain();

  host.filter(pageBrand, (brand) => ({ ...brand, ...brands.brand }));
  host.routes(brandRoutes(brands));
  host.job('look-again', () => brands.lookAgain());
});
