import { defineRight } from '../identity/index.ts';

const everybody = ['self-service', 'technician', 'supervisor', 'administrator'];
const helpers = ['technician', 'supervisor', 'administrator'];
const leaders = ['supervisor', 'administrator'];

export const ticketRights = [
  defineRight({ id: 'ticket.create', group: 'tickets', suggest: everybody }),
  defineRight({ id: 'ticket.create-for-others', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.read', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.reply', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.private', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.update', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.assign', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.solve', group: 'tickets', suggest: helpers }),
  defineRight({ id: 'ticket.export', group: 'tickets', suggest: leaders }),
  defineRight({ id: 'ticket.share-view', group: 'tickets', suggest: leaders }),
  defineRight({ id: 'category.manage', group: 'tickets', suggest: leaders }),
];
