// A material as one affiliate would see it, before there is one.
import type { Schemas } from "../../api/client";
import { config } from "../../config";
import { text } from "../../text";

const t = text.materials;
const values: Record<string, string> = { "{link}": `${config.tracker}/${t.sampleSlug}`, "{name}": t.sampleName };

const filled = (words: string) => words.replace(/\{(?:link|name)\}/g, (place) => values[place] ?? place);
const escaped = (words: string) => words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

type Shown = Omit<Schemas["Material"], "id" | "active" | "position" | "created_at" | "updated_at">;

/** What the core answers to an affiliate who chose a link, with sample values. */
export function sampleOf(m: Shown): Schemas["OwnMaterial"] {
  const { kind, name, program_id, url, file_name, width, height, size } = m;
  const html = `<a href="${escaped(filled("{link}"))}"><img src="${escaped(config.origin + m.media_path)}" width="${width}" height="${height}" alt="${escaped(name)}"></a>`;
  return { id: "", kind, name, program_id, url, file_name, width, height, size, subject: filled(m.subject), content: filled(m.content), media_url: m.media_path, html: kind === "banner" ? html : "" };
}
