import { defineRight } from './rights.ts';

const staff = ['technician', 'supervisor', 'administrator'];
const administrators = ['administrator'];

export const identityRights = [
  defineRight({ id: 'user.read', group: 'identity', suggest: staff }),
  defineRight({ id: 'user.manage', group: 'identity', suggest: administrators }),
  defineRight({ id: 'grant.manage', group: 'identity', suggest: administrators }),
  defineRight({ id: 'group.manage', group: 'identity', suggest: ['supervisor', 'administrator'] }),
  defineRight({ id: 'entity.manage', group: 'identity', suggest: administrators }),
  defineRight({ id: 'profile.manage', group: 'identity', suggest: administrators }),
  defineRight({ id: 'audit.read', group: 'identity', suggest: administrators }),
];
