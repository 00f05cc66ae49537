import { api } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";

/** The name of who has saved; their identifier where people may not be read. */
export function useSaver(id: string): string {
  const me = useMe();
  const person = api.useQuery("get", "/api/v1/people/{id}", { params: { path: { id } } }, { enabled: id !== "" && may(me, "people:read") });
  return id === "" ? text.publicSite.machine : person.data?.name || person.data?.email || id;
}
