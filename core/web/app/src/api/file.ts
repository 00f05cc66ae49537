// Files of the API, which need the token that no link can carry.
import { save } from "../ui/table/csv";
import { authorizedFetch } from "./fetch";
import type { Problem } from "./problem";

/** Reads a file of the API and hands it to the reader. A problem is thrown. */
export async function download(path: string, name: string): Promise<void> {
  const response = await authorizedFetch(new Request(location.origin + path));
  if (!response.ok) {
    throw (await response.json()) as Problem;
  }
  save(name, await response.blob(), response.headers.get("Content-Type") ?? "application/octet-stream");
}
