import type { TreeNode } from './tree-service.ts';

/** A tree as a picture: from left to right, one row a leaf. */
export interface Drawing {
  width: number;
  height: number;
  links: { path: string }[];
  nodes: {
    x: number;
    y: number;
    textX: number;
    nameY: number;
    countY: number;
    id: string;
    name: string;
    isOff: boolean;
    isRoot: boolean;
    invited: number;
    /** Invited and not drawn. */
    more: number;
  }[];
}

const COLUMN = 230;
const ROW = 44;
const MARGIN = 18;

export function drawingOf(root: TreeNode): Drawing {
  const drawing: Drawing = { width: 0, height: 0, links: [], nodes: [] };
  const leaves = place(root, { depth: 0, row: 0 }, drawing).rows;
  const depth = Math.max(...drawing.nodes.map(({ x }) => x));
  drawing.width = depth + COLUMN;
  drawing.height = Math.max(1, leaves) * ROW + MARGIN;
  return drawing;
}

/** Children first, so that a parent stands in the middle of them. */
function place(
  node: TreeNode,
  at: { depth: number; row: number },
  drawing: Drawing,
): { y: number; rows: number } {
  const x = MARGIN + at.depth * COLUMN;
  let row = at.row;
  const ys: number[] = [];
  for (const child of node.children) {
    const placed = place(child, { depth: at.depth + 1, row }, drawing);
    row += placed.rows;
    ys.push(placed.y);
  }
  const y = ys.length === 0 ? MARGIN + at.row * ROW + ROW / 2 : ((ys[0] ?? 0) + (ys.at(-1) ?? 0)) / 2;
  const childX = x + COLUMN;
  for (const childY of ys) {
    const middle = x + COLUMN - 40;
    drawing.links.push({
      path: `M${String(x + 6)} ${String(y)} C${String(middle)} ${String(y)} ${String(middle)} ${String(childY)} ${String(childX - 6)} ${String(childY)}`,
    });
  }
  const { id, name, isOff } = node.person;
  drawing.nodes.push({
    x,
    y,
    textX: x + 12,
    nameY: y - 8,
    countY: y + 16,
    id,
    name: name.length > 24 ? `${name.slice(0, 23)}…` : name,
    isOff,
    isRoot: at.depth === 0,
    invited: node.invited,
    more: node.invited - node.children.length,
  });
  return { y, rows: Math.max(1, row - at.row) };
}
