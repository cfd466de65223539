import { sizeInWords } from '../shared/size-in-words.ts';
import { isShownInline, type Attachment } from './attachment.ts';

export interface AttachmentModel {
  id: string;
  path: string;
  name: string;
  size: string;
  isImage: boolean;
  width: number | null;
  height: number | null;
}

export function presentAttachment(attachment: Attachment): AttachmentModel {
  const { id, name, size, width, height } = attachment;
  const path = `/attachments/${id}`;
  const isImage = isShownInline(attachment);
  return {
    id,
    path,
    name,
    size: sizeInWords(size),
    isImage,
    width,
    height,
  };
}
