import { redirect, view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { SetupService } from './setup-service.ts';

/** A first thing to do in a new house. Its words are the texts `setup:step.<id>.title` and `….text`. */
export interface WelcomeStep {
  id: string;
  path?: string;
  icon: string;
  isDone: () => Promise<boolean>;
}

interface Deps {
  setup: SetupService;
  welcomeSteps: readonly WelcomeStep[];
}

const access = { right: 'user.manage' };

/** The checklist after the set-up: each line says how things really stand. */
export function welcomeRoutes({ setup, welcomeSteps }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: '/welcome',
      access,
      handler: async () => {
        const steps = await Promise.all(
          welcomeSteps.map(async ({ id, path, icon, isDone }) => ({
            path,
            icon,
            title: `setup:step.${id}.title`,
            text: `setup:step.${id}.text`,
            isDone: await isDone(),
          })),
        );
        const done = steps.filter((step) => step.isDone).length;
        return view('identity/welcome', {
          steps,
          done,
          total: steps.length,
          isDismissed: await setup.isChecklistDismissed(),
        });
      },
    }),
    route({
      method: 'post',
      path: '/welcome/dismiss',
      access,
      handler: async () => {
        await setup.dismissChecklist();
        return redirect('/', { flash: { kind: 'info', code: 'setup:flash.dismissed' } });
      },
    }),
  ];
}
