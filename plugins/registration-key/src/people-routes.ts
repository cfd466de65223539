import type { Route } from 'latchkey/plugin-api';
export const peopleRoutes = (_deps: object): Route[] => [];
