import { file } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { AttachmentService } from './attachment-service.ts';
import { isShownInline } from './attachment.ts';
import { idParam } from './ticket-forms.ts';

/** `/attachments/<id>`: to whom the ticket is open, as a download; harmless pictures in the page. */
export function attachmentRoutes(attachments: AttachmentService): Route[] {
  return [
    route({
      method: 'get',
      path: '/attachments/:id',
      access: 'signed-in',
      params: idParam,
      handler: async ({ actor, params }) => {
        const { attachment, content } = await attachments.open(actor, params.id);
        const inline = isShownInline(attachment);
        const { name, size } = attachment;
        // What is not shown in the page is never named as something that a browser would run.
        return file(content, {
          name,
          size,
          inline,
          mediaType: inline ? attachment.mediaType : 'application/octet-stream',
        });
      },
    }),
  ];
}
