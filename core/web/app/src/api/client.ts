import createClient from "openapi-fetch";
import createHooks from "openapi-react-query";

import { authorizedFetch } from "./fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** The API as its OpenAPI document describes it: paths, parameters and bodies are checked by the compiler. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });

/** The same as hooks of TanStack Query: api.useQuery("get", "/api/v1/me"). */
export const api = createHooks(client);
