import type { Route } from 'latchkey/plugin-api';
export const keyRoutes = (_deps: object): Route[] => [];
