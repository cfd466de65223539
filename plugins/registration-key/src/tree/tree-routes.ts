import { route, view, z, type Host, type Route } from 'latchkey/plugin-api';
import { drawingOf } from './tree-drawing.ts';
import type { CameBy, TreeNode, TreeService } from './tree-service.ts';

interface Deps {
  host: Host;
  tree: TreeService;
}

const treeQuery = z.object({ person: z.string().max(40).optional().catch(undefined) });

/** Who brought whom, as a picture and as a list. */
export const treeRoutes = ({ host, tree }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/invitation-keys/tree',
    access: { right: 'registration-key.read' },
    query: treeQuery,
    handler: async ({ actor, query: { person } }) => {
      if (person === undefined) {
        const roots = await tree.roots(actor);
        return view(`${host.plugin.id}/tree/roots`, {
          roots: roots.map((one) => ({ ...one.person, invited: one.invited })),
        });
      }
      const { root, above } = await tree.around(actor, person);
      return view(`${host.plugin.id}/tree/tree`, {
        person: root.person,
        invited: root.invited,
        above: above.map(presentCameBy),
        drawing: drawingOf(root),
        rows: rowsOf(root),
      });
    },
  }),
];

export const presentCameBy = ({ branch, key, inviter }: CameBy): object => ({
  seat: branch.seat,
  at: branch.at,
  existed: branch.how === 'existing',
  keyId: branch.keyId,
  keyLabel: key === null ? '' : key.label === '' ? `${key.hint}…` : key.label,
  inviterId: inviter?.id ?? null,
  inviter: inviter?.name ?? key?.ownerName ?? '',
});

/** The same as the picture, for reading and copying. */
function rowsOf(root: TreeNode): object[] {
  const rows: object[] = [];
  const walk = (node: TreeNode, inviter: string, depth: number): void => {
    if (node.branch)
      rows.push({
        ...node.person,
        inviter,
        depth,
        at: node.branch.at,
        keyId: node.branch.keyId,
        invited: node.invited,
      });
    for (const child of node.children) walk(child, node.person.name, depth + 1);
  };
  walk(root, '', 0);
  return rows;
}
